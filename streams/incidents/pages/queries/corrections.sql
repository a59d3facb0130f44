SELECT about, correction, ifNull(toUnixTimestamp64Nano(verified_time), 0) AS verified
FROM incident_corrections WHERE incident_id = {incident:String}
