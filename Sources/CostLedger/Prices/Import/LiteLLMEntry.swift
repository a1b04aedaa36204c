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

    mutating func read(_ fields: [JSON.Member], _ names: inout LiteLLMNames) {
        for field in fields where field.value != .null {
            switch field.key {
            case "tiered_pricing": readTiers(field, &names)
            case "search_context_cost_per_query": readSearches(field)
            default: read(field, above: nil, path: "", &names)
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
    private mutating func read(_ field: JSON.Member, above: Int?, path: String, _ names: inout LiteLLMNames) {
        let name = path + field.key
        switch names[field.key] {
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
        // Seconds have two fields, for what goes in and what comes out, of which one may just be 0.
        let isLess = meter == .milliseconds && (rate == .zero || rates[place]?[meter] == .zero)
        if let other = rates[place]?[meter], other != rate, !isLess { omit(name, .conflict) }
        rates[place, default: Price.Rates()][meter] = max(rate, rates[place]?[meter] ?? .zero)
        names[place, default: []].append(name)
        if rate != .zero { isFree = false }
    }

    /// Ranges of prompt sizes: `[{"range": [0, 256000], "input_cost_per_token": …}, …]`.
    private mutating func readTiers(_ field: JSON.Member, _ names: inout LiteLLMNames) {
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
            for member in members where member.key != "range" {
                read(member, above: Int(above), path: path + ".", &names)
            }
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
