-- Several answers, attempts and modalities of one call, and jobs of many calls.
ALTER TABLE inferences
    ADD COLUMN usage_input_images Nullable(Int64) AFTER usage_reasoning_output_tokens,
    ADD COLUMN usage_output_images Nullable(Int64) AFTER usage_input_images,
    ADD COLUMN usage_input_audio_seconds Nullable(Float64) AFTER usage_output_images,
    ADD COLUMN usage_output_audio_seconds Nullable(Float64) AFTER usage_input_audio_seconds,
    ADD COLUMN usage_input_video_seconds Nullable(Float64) AFTER usage_output_audio_seconds,
    ADD COLUMN usage_output_video_seconds Nullable(Float64) AFTER usage_input_video_seconds,
    ADD COLUMN choice_count Nullable(Int64) AFTER usage_output_video_seconds,
    ADD COLUMN attempt Nullable(Int64) AFTER choice_count,
    ADD COLUMN superseded Nullable(Bool) AFTER attempt,
    ADD COLUMN batch_id String AFTER superseded;
