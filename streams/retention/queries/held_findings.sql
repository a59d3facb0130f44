SELECT finding_id FROM incident_transitions WHERE incident_id IN {holds:Array(String)} AND finding_id != ''
