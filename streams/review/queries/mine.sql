SELECT event_id FROM labels_known(known_at='2106-01-01 00:00:00')
WHERE target_event_id = {event:String} AND annotator_pseudo_id = {reviewer:String}
    AND evaluation_name = {evaluation:String}
ORDER BY said_at DESC, event_id LIMIT 1
