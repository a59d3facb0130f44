time >= now() - toIntervalSecond({seconds:UInt32}) AND probe_id = ''
