-- What is wanted of the calls of a service; 0 where its policy was published before it could say so.
ALTER TABLE service_policies
    ADD COLUMN error_share Float64 AFTER severity_weights,
    ADD COLUMN slow_ms Float64 AFTER error_share,
    ADD COLUMN slow_share Float64 AFTER slow_ms;
