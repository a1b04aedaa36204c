public import SpillwayCore

/// What a model's use costs: rates for each service, and for prompts above certain sizes.
///
/// ```swift
/// let price = Price(input: .dollars(3), output: .dollars(15), cacheRead: .cents(30))
///     .adding(.init(input: .dollars(6), output: .cents(2_250), cacheRead: .cents(60)), above: 200_000)
///     .adding(.init(input: .cents(150), output: .cents(750)), for: .batch)
/// ```
///
/// A rate that is not given is taken from another, once, when the price is made:
///
/// - Above a size: the rate below that size. For a service: the standard rate. Above a size for which a service gives no
///   rate: the dearer of the service's rate below and the standard one above. A rate that is just what the next rules
///   give is not taken over: where reasoning costs as much as `output`, it does so in every service.
/// - Cache reads and cache writes cost as much as `input`; a write for an hour as much as one for minutes, one for half a
///   day as much as one for an hour. A longer life that takes its rate from a smaller size costs no less than a shorter.
/// - Sound and images cost as much as `input` or `output`; sound that a cache had as much as sound that it had not, or as a
///   cache read where sound has no rate.
/// - Reasoning costs as much as `output`. A request costs nothing.
///
/// Everything else without a rate is ``Unpriced``, never free; so is a service without rates.
public struct Price: Sendable, Hashable {
    /// How urgently the provider is asked to work, which changes the price.
    public enum Service: UInt8, Sendable, Hashable, CaseIterable {
        /// As always.
        case standard
        /// Some time within a day, for about half.
        case batch
        /// When there is room, for less.
        case flex
        /// Before others, for more.
        case priority
    }

    /// What was given for one service and prompts of more than `above` tokens.
    struct Entry: Sendable, Hashable {
        var service: Service
        var above: Int
        var rates: Rates
    }

    /// Rates that hold for prompts of more than `above` tokens, with fallbacks in place.
    private struct Schedule: Sendable, Hashable {
        var above: Int
        var rates: Rates
    }

    /// What was given: services in their order, the smallest size first.
    let entries: [Entry]
    /// One service's schedules after the other's, the largest size first, so that the first one that a prompt exceeds holds.
    private let schedules: [Schedule]
    /// Where the schedules of each service begin; the last one's end where the array does.
    private let starts: SIMD8<Int32>

    /// A price that is the same for prompts of every size, with the standard service alone.
    public init(_ rates: Rates) { self.init([Entry(service: .standard, above: 0, rates: rates)]) }

    /// A price that is the same for prompts of every size, with the standard service alone, in dollars for a million tokens.
    ///
    /// - Parameters:
    ///   - input: The prompt's tokens.
    ///   - output: The answer's tokens.
    ///   - cacheRead: Tokens that the provider's cache had; as `input` by default.
    ///   - cacheWrite: Tokens that were written to the cache for some minutes; as `input` by default.
    ///   - cacheWriteHour: Tokens that were written to it for an hour; as `cacheWrite` by default.
    ///   - reasoning: Tokens that the model kept to itself; as `output` by default.
    public init(
        input: Money, output: Money? = nil, cacheRead: Money? = nil, cacheWrite: Money? = nil,
        cacheWriteHour: Money? = nil, reasoning: Money? = nil
    ) {
        self.init(
            Rates(
                input: input, output: output, cacheRead: cacheRead, cacheWrite: cacheWrite,
                cacheWriteHour: cacheWriteHour, reasoning: reasoning))
    }

    /// This price, with `rates` for `service` and prompts of more than `promptTokens` tokens, cached ones among them; they
    /// hold for the whole call, its answer included.
    ///
    /// - Parameters:
    ///   - rates: The rates; those that were given before for the same service and size are dropped.
    ///   - service: The service; the standard one by default.
    ///   - promptTokens: The size, 0 by default. A service needs rates for size 0 to have a price at all.
    public func adding(
        _ rates: Rates, for service: Service = .standard, above promptTokens: Int = 0
    ) -> Price {
        Price(
            entries.filter { $0.service != service || $0.above != promptTokens }
                + [Entry(service: service, above: promptTokens, rates: rates)])
    }

    /// The price of `entries`, no two for the same service and size.
    init(_ entries: [Entry]) {
        let sorted = entries.sorted { ($0.service.rawValue, $0.above) < ($1.service.rawValue, $1.above) }
        self.entries = sorted
        var schedules: [Schedule] = [], starts = SIMD8<Int32>()
        func given(_ service: Service, _ above: Int) -> Rates? {
            sorted.first { $0.service == service && $0.above == above }?.rates
        }
        var sizes: [Int] = [], standard: [Rates] = []
        for service in Service.allCases {
            starts[Int(service.rawValue)] = Int32(schedules.count)
            defer { starts[Int(service.rawValue) + 1] = Int32(schedules.count) }
            guard let base = given(service, 0) else { continue }
            let own = sorted.lazy.filter { $0.service == service && $0.above > 0 }.map(\.above)
            var named: [Rates] = [], resolved: [Schedule] = []
            for size in Set([0] + sizes + own).sorted() {
                let rates = size == 0 ? base : given(service, size) ?? Rates()
                // The standard rates of the largest size that is not beyond this one.
                let usual = sizes.lastIndex { $0 <= size }.map { standard[$0] } ?? Rates()
                let below = named.last.map { usual.handedOn.dearer($0.handedOn) } ?? usual.handedOn
                named.append(rates.over(below))
                resolved.append(Schedule(above: size, rates: named[named.count - 1].withFallbacks(own: rates)))
            }
            if service == .standard { (sizes, standard) = (resolved.map(\.above), named) }
            schedules += resolved.reversed()
        }
        self.schedules = schedules
        self.starts = starts
    }

    /// The rates that hold for a prompt of so many tokens, fallbacks included; nil when the service has none.
    public func rates(for service: Service = .standard, promptTokens: Int = 0) -> Rates? {
        let start = Int(starts[Int(service.rawValue)]), end = Int(starts[Int(service.rawValue) + 1])
        return schedules[start..<end].first { $0.above == 0 || promptTokens > $0.above }?.rates
    }

    /// What `usage` costs, rounded once to the nearest nano-dollar, ties to even.
    ///
    /// Products are taken at full width: 16 multiplications, no allocation.
    ///
    /// - Throws: ``Unpriced`` when the price does not say.
    public func cost(of usage: Usage, service: Service = .standard) throws(Unpriced) -> Money {
        var index = Int(starts[Int(service.rawValue)])
        let last = Int(starts[Int(service.rawValue) + 1]) - 1
        guard index <= last else { throw .service(service) }
        if index < last {
            let size = usage.promptTokens
            while index < last, size <= schedules[index].above { index += 1 }
        }
        let (high, low, unpriced) = Self.products(usage.counts, schedules[index].rates.perMillion)
        guard unpriced < 0 else { throw .meter(Usage.Meter.allCases[unpriced]) }
        // Sixteen products of 63 and 40 bits fit 107. Most sums fit one word, which is quicker to divide.
        guard high != 0 else {
            let (quotient, rest) = low.quotientAndRemainder(dividingBy: 1_000_000)
            let isUp = rest > 500_000 || (rest == 500_000 && quotient & 1 != 0)
            return Money(nanodollars: Int64(quotient) + (isUp ? 1 : 0))
        }
        let sum = Int128(high) << 64 | Int128(low)
        guard sum <= Int128(Int64.max) * 1_000_000 else { throw .tooLarge }
        return Money(rounding: sum, over: 1_000_000)
    }

    /// The sum of counts by rates in two words, and the lane of a count without a rate, −1 when there is none.
    private static func products(
        _ counts: SIMD16<Int64>, _ rates: SIMD16<Int64>
    ) -> (high: UInt64, low: UInt64, unpriced: Int) {
        var high = UInt64(0), low = UInt64(0)
        // Through memory, because a lane with a variable index would copy the vector each time.
        let unpriced = withUnsafeBytes(of: counts) { counts in
            withUnsafeBytes(of: rates) { rates in
                for lane in 0..<16 {
                    let count = counts.load(fromByteOffset: lane * 8, as: UInt64.self)
                    guard count != 0 else { continue }
                    let rate = rates.load(fromByteOffset: lane * 8, as: Int64.self)
                    guard rate >= 0 else { return lane }
                    let product = UInt64(rate).multipliedFullWidth(by: count)
                    let (sum, carry) = low.addingReportingOverflow(product.low)
                    low = sum
                    high &+= product.high &+ (carry ? 1 : 0)
                }
                return -1
            }
        }
        return (high, low, unpriced)
    }
}

/// Why a use has no price: never taken for free.
public enum Unpriced: Error, Sendable, Hashable {
    /// The book does not know the model.
    case model
    /// The model's price does not say what this costs.
    case meter(Usage.Meter)
    /// The price has none for this service.
    case service(Price.Service)
    /// The cost is beyond 9.2 billion dollars.
    case tooLarge
}
