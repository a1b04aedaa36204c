import SpillwayCore

/// What the name of a field of LiteLLM's format says.
enum LiteLLMField: Equatable {
    /// Not about the price.
    case nothing
    /// About the price, in a way that a ``Price`` does not hold.
    case omitted(PriceBook.Import.Reason)
    /// A rate, for prompts of more than `above` tokens; times 10^`unit` it is in nano-dollars for a million.
    case rate(Usage.Meter, unit: Int, Price.Service, above: Int)

    private static let meters: [String: Usage.Meter] = [
        "input_cost_per_token": .input,
        "output_cost_per_token": .output,
        "cache_read_input_token_cost": .cacheRead,
        "input_cost_per_token_cache_hit": .cacheRead,
        "cache_creation_input_token_cost": .cacheWrite,
        "cache_creation_input_token_cost_above_1hr": .cacheWriteHour,
        "cache_creation_input_token_cost_above_12hr": .cacheWriteHalfDay,
        "output_cost_per_reasoning_token": .reasoning,
        "input_cost_per_audio_token": .audioInput,
        "cache_read_input_audio_token_cost": .audioCacheRead,
        "output_cost_per_audio_token": .audioOutput,
        "input_cost_per_image_token": .imageInput,
        "output_cost_per_image_token": .imageOutput,
        "output_cost_per_image": .images,
        "input_cost_per_request": .requests,
        "input_cost_per_second": .milliseconds,
        "output_cost_per_second": .milliseconds,
        "cost_per_second": .milliseconds,
    ]
    private static let services: [(suffix: String, service: Price.Service?)] = [
        ("_batches", .batch), ("_flex", .flex), ("_priority", .priority), ("_ultrafast", nil), ("_balanced", nil),
        ("_decisions", nil),
    ]
    /// Fields that change a price without naming one, or that a price by the piece does not hold.
    private static let conditions = [
        "uplift", "off_peak", "provider_specific_entry", "free_requests", "billing_unit", "minimum", "surcharge",
        "discount", "multiplier", "explicit_cache", "google_maps",
    ]
    private static let units = [
        "character", "pixel", "page", "dbu", "query", "session", "image", "video", "credit", "message", "citation",
        "second", "unit", "audio", "_per_gb", "_per_1k",
    ]

    init(_ name: String) {
        guard !Self.conditions.contains(where: name.contains) else {
            self = .omitted(.condition)
            return
        }
        guard ["cost", "pric", "fee_", "_fee"].contains(where: name.contains) else {
            self = .nothing
            return
        }
        var base = Substring(name), service = Price.Service?.some(.standard)
        if let found = Self.services.first(where: { name.hasSuffix($0.suffix) }) {
            base = base.dropLast(found.suffix.count)
            service = found.service
        }
        var above = 0
        if base.hasSuffix("k_tokens"), let thousands = base.dropLast(8).split(separator: "_").last.flatMap({ Int($0) }),
            base.hasSuffix("_above_\(thousands)k_tokens"), (1...1_000_000).contains(thousands)
        {
            base = base.dropLast("_above_\(thousands)k_tokens".count)
            above = thousands * 1_000
        }
        if let meter = Self.meters[String(base)] {
            let unit = meter == .milliseconds ? 12 : 15
            self = service.map { .rate(meter, unit: unit, $0, above: above) } ?? .omitted(.service)
        } else if service == nil {
            self = .omitted(.service)
        } else {
            self = .omitted(Self.units.contains(where: name.contains) ? .unit : .unknown)
        }
    }
}

/// The meaning of names that were met: a table has few, many times.
struct LiteLLMNames {
    private var known: [String: LiteLLMField] = [:]

    subscript(name: String) -> LiteLLMField {
        mutating get {
            if let field = known[name] { return field }
            let field = LiteLLMField(name)
            known[name] = field
            return field
        }
    }
}
