// A slice of the table of prices that LiteLLM 1.109 ships as `model_prices_and_context_window.json`, with the fields that
// say something about prices. MIT licence, Copyright (c) 2023 Berri AI.

/// Models with prices of every kind.
let litellmSlice = #"""
    {
    "sample_spec": {"input_cost_per_token": 0.0, "mode": "one of: chat, embedding"},
    "gpt-4o": {
      "cache_read_input_token_cost": 1.25e-06, "cache_read_input_token_cost_priority": 2.125e-06,
      "input_cost_per_token": 2.5e-06, "input_cost_per_token_batches": 1.25e-06,
      "input_cost_per_token_priority": 4.25e-06, "max_input_tokens": 128000, "mode": "chat",
      "output_cost_per_token": 1e-05, "output_cost_per_token_batches": 5e-06,
      "output_cost_per_token_priority": 1.7e-05},
    "gpt-5.4": {
      "cache_read_input_token_cost": 2.5e-07, "cache_read_input_token_cost_above_272k_tokens": 5e-07,
      "cache_read_input_token_cost_batches": 1.3e-07,
      "cache_read_input_token_cost_above_272k_tokens_batches": 2.5e-07,
      "cache_read_input_token_cost_flex": 1.3e-07, "cache_read_input_token_cost_priority": 5e-07,
      "input_cost_per_token": 2.5e-06, "input_cost_per_token_above_272k_tokens": 5e-06,
      "input_cost_per_token_flex": 1.25e-06, "input_cost_per_token_batches": 1.25e-06,
      "input_cost_per_token_above_272k_tokens_batches": 2.5e-06, "input_cost_per_token_priority": 5e-06,
      "max_input_tokens": 1050000, "mode": "chat", "output_cost_per_token": 1.5e-05,
      "output_cost_per_token_above_272k_tokens": 2.25e-05, "output_cost_per_token_flex": 7.5e-06,
      "output_cost_per_token_batches": 7.5e-06,
      "output_cost_per_token_above_272k_tokens_batches": 1.125e-05, "output_cost_per_token_priority": 3e-05,
      "regional_processing_uplift_multiplier_eu": 1.1, "regional_processing_uplift_multiplier_us": 1.1,
      "input_cost_per_token_above_272k_tokens_flex": 2.5e-06,
      "output_cost_per_token_above_272k_tokens_flex": 1.125e-05,
      "cache_read_input_token_cost_above_272k_tokens_flex": 2.5e-07},
    "claude-haiku-5-5": {
      "input_cost_per_token_above_100k_tokens_batches": 2.5e-07,
      "output_cost_per_token_above_100k_tokens_batches": 1.25e-06,
      "cache_creation_input_token_cost_above_100k_tokens_batches": 3.125e-07,
      "cache_read_input_token_cost_above_100k_tokens_batches": 2.5e-08,
      "cache_creation_input_token_cost": 1.25e-07, "cache_creation_input_token_cost_above_1hr": 2e-07,
      "cache_creation_input_token_cost_batches": 6.25e-08, "cache_read_input_token_cost": 1e-08,
      "cache_read_input_token_cost_batches": 5e-09, "input_cost_per_token": 1e-07,
      "input_cost_per_token_batches": 5e-08, "max_input_tokens": 1000000, "mode": "chat",
      "output_cost_per_token": 5e-07, "output_cost_per_token_batches": 2.5e-07,
      "search_context_cost_per_query": {
        "search_context_size_high": 0.01, "search_context_size_low": 0.01, "search_context_size_medium": 0.01},
      "provider_specific_entry": {"us": 1.1}, "input_cost_per_token_above_100k_tokens": 5e-07,
      "output_cost_per_token_above_100k_tokens": 2.5e-06,
      "cache_creation_input_token_cost_above_100k_tokens": 6.25e-07,
      "cache_creation_input_token_cost_above_1hr_above_100k_tokens": 1e-06,
      "cache_read_input_token_cost_above_100k_tokens": 5e-08},
    "gemini/gemini-2.5-flash": {
      "cache_read_input_audio_token_cost": 1e-07, "cache_read_input_audio_token_cost_batches": 1e-07,
      "cache_read_input_audio_token_cost_flex": 1e-07,
      "cache_read_input_audio_token_cost_priority": 1.8e-07, "cache_read_input_token_cost": 3e-08,
      "cache_read_input_token_cost_batches": 3e-08, "cache_read_input_token_cost_flex": 3e-08,
      "cache_read_input_token_cost_priority": 5.4e-08, "input_cost_per_audio_token": 1e-06,
      "input_cost_per_audio_token_flex": 5e-07, "input_cost_per_token": 3e-07, "max_input_tokens": 1048576,
      "mode": "chat", "output_cost_per_reasoning_token": 2.5e-06, "output_cost_per_token": 2.5e-06,
      "search_context_cost_per_query": {
        "search_context_size_low": 0.035, "search_context_size_medium": 0.035, "search_context_size_high": 0.035},
      "search_free_requests": {"count": 1500, "period": "day", "shared_group": "gemini-2-flash"},
      "google_maps_grounding_cost_per_query": 0.025, "input_cost_per_audio_token_batches": 5e-07,
      "input_cost_per_audio_token_priority": 1.8e-06, "input_cost_per_token_batches": 1.5e-07,
      "input_cost_per_token_flex": 1.5e-07, "input_cost_per_token_priority": 5.4e-07,
      "output_cost_per_token_batches": 1.25e-06, "output_cost_per_token_flex": 1.25e-06,
      "output_cost_per_token_priority": 4.5e-06},
    "dashscope/qwen-flash": {
      "max_input_tokens": 997952, "mode": "chat",
      "tiered_pricing": [
        {"input_cost_per_token": 5e-08, "output_cost_per_token": 4e-07, "range": [0, 256000.0]},
        {"input_cost_per_token": 2.5e-07, "output_cost_per_token": 2e-06, "range": [256000.0, 1000000.0]}]},
    "dashscope/qwen3-coder-plus": {
      "max_input_tokens": 997952, "mode": "chat",
      "tiered_pricing": [
        {"cache_read_input_token_cost": 1e-07, "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06, "range": [0, 32000.0]},
        {"cache_read_input_token_cost": 1.8e-07, "input_cost_per_token": 1.8e-06, "output_cost_per_token": 9e-06, "range": [32000.0, 128000.0]},
        {"cache_read_input_token_cost": 3e-07, "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05, "range": [128000.0, 256000.0]},
        {"cache_read_input_token_cost": 6e-07, "input_cost_per_token": 6e-06, "output_cost_per_token": 6e-05, "range": [256000.0, 1000000.0]}]},
    "text-embedding-3-small": {
      "input_cost_per_token": 2e-08, "input_cost_per_token_batches": 1e-08, "max_input_tokens": 8191,
      "mode": "embedding", "output_cost_per_token": 0.0, "output_cost_per_token_batches": 0.0},
    "deepseek-flash": {
      "cache_creation_input_token_cost": 0.0, "cache_read_input_token_cost": 6e-09,
      "input_cost_per_token": 3e-07, "input_cost_per_token_cache_hit": 6e-09, "max_input_tokens": 1000000,
      "mode": "chat",
      "off_peak_pricing": {
        "cache_read_input_token_cost": 3e-09, "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07, "windows": [{"hours_utc": ["00:00-01:00", "04:00-06:00", "10:00-00:00"], "weekdays": [1, 2, 3, 4, 5]},
        {"hours_utc": "00:00-00:00", "weekdays": [6, 7]}]},
      "output_cost_per_token": 1.2e-06},
    "databricks/databricks-claude-sonnet-4-1": {
      "cache_creation_input_token_cost": 3.74997e-06, "cache_read_input_token_cost": 3.0002e-07,
      "input_cost_per_token": 2.9999900000000002e-06, "input_dbu_cost_per_token": 4.2857e-05,
      "max_input_tokens": 200000, "mode": "chat", "output_cost_per_token": 1.5000020000000002e-05,
      "output_dbu_cost_per_token": 0.000214286},
    "azure/gpt-6-astra": {
      "input_cost_per_token": 1e-05, "mode": "chat", "output_cost_per_token": 5e-05,
      "cache_creation_input_token_cost_above_272k_tokens_flex": 1.25e-05,
      "cache_read_input_token_cost_above_272k_tokens_flex": 1e-06,
      "input_cost_per_token_above_272k_tokens_flex": 1e-05,
      "output_cost_per_token_above_272k_tokens_flex": 3.75e-05},
    "sail/moonshotai/Kimi-K3": {
      "max_input_tokens": 1048576, "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1.25e-05,
      "cache_read_input_token_cost": 2.5e-07, "input_cost_per_token_balanced": 2e-06,
      "output_cost_per_token_balanced": 1e-05, "cache_read_input_token_cost_balanced": 2e-07,
      "input_cost_per_token_flex": 1.25e-06, "output_cost_per_token_flex": 6.25e-06,
      "cache_read_input_token_cost_flex": 1.5e-07, "mode": "chat"},
    "perplexity/sonar": {
      "input_cost_per_token": 1e-06, "max_input_tokens": 128000, "mode": "chat",
      "output_cost_per_token": 1e-06,
      "search_context_cost_per_query": {
        "search_context_size_high": 0.012, "search_context_size_low": 0.005, "search_context_size_medium": 0.008}},
    "whisper-1": {
      "input_cost_per_second": 0.0001, "mode": "audio_transcription", "output_cost_per_second": 0.0001},
    "azure/speech/azure-tts": {
      "input_cost_per_character": 1.5e-05, "mode": "audio_speech"},
    "dashscope/qwen-plus-2025-04-28": {
      "input_cost_per_token": 4e-07, "max_input_tokens": 129024, "mode": "chat",
      "output_cost_per_reasoning_token": 4e-06, "output_cost_per_token": 1.2e-06},
    "fallback_generalizations": {
      "rules": []}
    }
    """#
