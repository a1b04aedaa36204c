import SpillwayCore

/// One model of a table in LiteLLM's format, while it is read.
struct LiteLLMEntry {
    private var rates: [Place: Price.Rates] = [:]
    private var names: [Place: [String]] = [:]
    private(set) var unmapped: [(field: String, reason: PriceBook.Import.Reason)] = []
    private(set) var isFree = true

    private struct Place: Hashable {
        var service: Price.Service
        var above: Int
    }

    mutating func omit(_ field: String, _ reason: PriceBook.Import.Reason) { unmapped.append((field, reason)) }

    mutating func read(_ fields: [JSON.Member]) {
        for field in fields where field.value != .null {
            switch field.key {
            case "tiered_pricing": readTiers(field)
            case "search_context_cost_per_query": readSearches(field)
            default: read(field, above: nil, path: "")
            }
        }
    }

    /// The price of all that was read; nil when there is none.
    mutating func price() -> Price? {
        for service in Price.Service.allCases where rates[Place(service: service, above: 0)] == nil {
            for place in rates.keys.filter({ $0.service == service }).sorted(by: { $0.above < $1.above }) {
                rates[place] = nil
                for name in names[place] ?? [] { omit(name, .base) }
            }
        }
        guard !rates.isEmpty else { return nil }
        return Price(rates.map { Price.Entry(service: $0.key.service, above: $0.key.above, rates: $0.value) })
    }

    /// Reads one field; `above` is the size of the tier that it stands in, if it does.
    private mutating func read(_ field: JSON.Member, above: Int?, path: String) {
        let name = path + field.key
        switch LiteLLMField(field.key) {
        case .nothing: break
        case .omitted(let reason): omit(name, reason)
        case .rate(let meter, let unit, let service, let size):
            guard above == nil || size == 0 else { return omit(name, .unknown) }
            set(meter, field.value, unit: unit, at: Place(service: service, above: above ?? size), name: name)
        }
    }

    private mutating func set(_ meter: Usage.Meter, _ value: JSON, unit: Int, at place: Place, name: String) {
        // Dollars for one to nano-dollars for a million units: 9 and 6 places, 3 fewer for seconds.
        guard let number = value.literal.flatMap({ DecimalNumber($0) })?.rounded(scaledBy: unit) else {
            return omit(name, .invalid)
        }
        let rate = Money(nanodollars: number.value)
        guard rate >= .zero, rate <= Price.Rates.most else { return omit(name, .invalid) }
        if !number.isExact { omit(name, .rounded) }
        if let other = rates[place]?[meter], other != rate { omit(name, .conflict) }
        rates[place, default: Price.Rates()][meter] = max(rate, rates[place]?[meter] ?? .zero)
        names[place, default: []].append(name)
        if rate != .zero { isFree = false }
    }

    /// Ranges of prompt sizes: `[{"range": [0, 256000], "input_cost_per_token": …}, …]`.
    private mutating func readTiers(_ field: JSON.Member) {
        guard let tiers = field.value.elements else { return omit(field.key, .invalid) }
        for (index, tier) in tiers.enumerated() {
            let path = "\(field.key)[\(index)]"
            guard let members = tier.members else {
                omit(path, .invalid)
                continue
            }
            guard let range = tier["range"] else {
                // Ranges of something else, such as of results.
                omit(path, .condition)
                continue
            }
            guard let bounds = range.elements, bounds.count == 2,
                let above = bounds[0].literal.flatMap({ DecimalNumber($0) })?.integer(scaledBy: 0), above >= 0
            else {
                omit(path, .invalid)
                continue
            }
            for member in members where member.key != "range" { read(member, above: Int(above), path: path + ".") }
        }
    }

    /// One price for a search whatever it brings, or three for little, more and much.
    private mutating func readSearches(_ field: JSON.Member) {
        guard let sizes = field.value.members, let first = sizes.first?.value.literal else {
            return omit(field.key, .invalid)
        }
        guard sizes.allSatisfy({ $0.value.literal == first }) else { return omit(field.key, .condition) }
        set(.toolCalls, .number(first), unit: 15, at: Place(service: .standard, above: 0), name: field.key)
    }
}

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
