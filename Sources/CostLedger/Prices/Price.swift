public import SpillwayCore

/// What a model's use costs.
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

    /// Nano-dollars for a million units of each meter; −1: there is no price for it.
    public struct Rates: Sendable, Hashable {
        var perMillion = SIMD16<Int64>(repeating: -1)

        /// No price for anything.
        public init() {}

        /// The price of a million units of `meter`; nil when there is none.
        public subscript(meter: Usage.Meter) -> Money? {
            get { perMillion[meter.rawValue] < 0 ? nil : Money(nanodollars: perMillion[meter.rawValue]) }
            set { perMillion[meter.rawValue] = newValue.map { Swift.max(0, $0.nanodollars) } ?? -1 }
        }
    }

    private let standard: Rates

    /// A price that is the same for prompts of every size and every service.
    public init(_ rates: Rates) { standard = rates }

    /// What `usage` costs, rounded once to the nearest nano-dollar, ties to even.
    ///
    /// - Throws: ``Unpriced`` when the price does not say.
    public func cost(of usage: Usage, service: Service = .standard) throws(Unpriced) -> Money {
        var sum = Int128(0)
        for meter in Usage.Meter.allCases where usage[meter] != 0 && meter != .requests {
            let rate = standard.perMillion[meter.rawValue]
            guard rate >= 0 else { throw .meter(meter) }
            sum += Int128(rate) * Int128(usage[meter])
        }
        return Money(rounding: sum, over: 1_000_000)
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
