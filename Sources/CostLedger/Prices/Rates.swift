public import SpillwayCore

extension Price {
    /// What a million units of each meter cost, where that is known.
    public struct Rates: Sendable, Hashable {
        /// Nano-dollars for a million units, by the meter's raw value; ``none`` where there is no price.
        var perMillion = SIMD16<Int64>(repeating: none)
        static let none = Int64.min

        /// No price for anything.
        public init() {}

        /// Rates in dollars: tokens by the million, all else by the piece.
        ///
        /// What is not given has no rate.
        ///
        /// - Parameters:
        ///   - input: A million tokens of the prompt.
        ///   - output: A million tokens of the answer.
        ///   - cacheRead: A million tokens that the provider's cache had.
        ///   - cacheWrite: A million tokens that were written to the cache for some minutes.
        ///   - cacheWriteHour: A million tokens that were written to it for an hour.
        ///   - cacheWriteHalfDay: A million tokens that were written to it for half a day.
        ///   - reasoning: A million tokens that the model kept to itself.
        ///   - audioInput: A million tokens of sound in the prompt.
        ///   - audioCacheRead: A million tokens of sound that the cache had.
        ///   - audioOutput: A million tokens of sound in the answer.
        ///   - imageInput: A million tokens of images in the prompt.
        ///   - imageOutput: A million tokens of images in the answer.
        ///   - image: One image that was made.
        ///   - request: One request.
        ///   - second: One second of sound, film or computing.
        ///   - toolCall: One search or call of another tool.
        public init(
            input: Money? = nil, output: Money? = nil, cacheRead: Money? = nil, cacheWrite: Money? = nil,
            cacheWriteHour: Money? = nil, cacheWriteHalfDay: Money? = nil, reasoning: Money? = nil,
            audioInput: Money? = nil, audioCacheRead: Money? = nil, audioOutput: Money? = nil,
            imageInput: Money? = nil, imageOutput: Money? = nil, image: Money? = nil, request: Money? = nil,
            second: Money? = nil, toolCall: Money? = nil
        ) {
            self[.input] = input
            self[.output] = output
            self[.cacheRead] = cacheRead
            self[.cacheWrite] = cacheWrite
            self[.cacheWriteHour] = cacheWriteHour
            self[.cacheWriteHalfDay] = cacheWriteHalfDay
            self[.reasoning] = reasoning
            self[.audioInput] = audioInput
            self[.audioCacheRead] = audioCacheRead
            self[.audioOutput] = audioOutput
            self[.imageInput] = imageInput
            self[.imageOutput] = imageOutput
            self[.images] = image?.times(1_000_000, over: 1)
            self[.requests] = request?.times(1_000_000, over: 1)
            self[.milliseconds] = second?.times(1_000, over: 1)
            self[.toolCalls] = toolCall?.times(1_000_000, over: 1)
        }

        /// The price of a million units of `meter`; nil when there is none.
        ///
        /// A negative one is kept, and refused by ``PriceBook/validate()``; what it would price is ``Unpriced``.
        public subscript(meter: Usage.Meter) -> Money? {
            get {
                let rate = perMillion[meter.rawValue]
                return rate == Self.none ? nil : Money(nanodollars: rate)
            }
            set { perMillion[meter.rawValue] = newValue.map { Swift.max(Self.none + 1, $0.nanodollars) } ?? Self.none }
        }

        /// The first meter whose rate is none that a provider would ask, with that rate.
        var absurd: (meter: Usage.Meter, rate: Money)? {
            for meter in Usage.Meter.allCases {
                if let rate = self[meter], rate < .zero || rate > Self.most { return (meter, rate) }
            }
            return nil
        }
        /// A thousand dollars for one unit.
        static let most = Money.dollars(1_000_000_000)
    }
}

extension Price.Rates {
    /// From which other rate a missing one is taken, each after the one that it needs.
    private static let fallbacks: [(meter: Usage.Meter, other: Usage.Meter)] = [
        (.cacheRead, .input), (.cacheWrite, .input), (.cacheWriteHour, .cacheWrite),
        (.cacheWriteHalfDay, .cacheWriteHour), (.audioInput, .input), (.imageInput, .input), (.reasoning, .output),
        (.audioOutput, .output), (.imageOutput, .output),
    ]

    /// What is handed on to other sizes and services: rates that are not just what would be taken for them anyway.
    var handedOn: Self {
        var rates = self
        for (meter, other) in Self.fallbacks where self[meter] == self[other] { rates[meter] = nil }
        return rates
    }

    /// These rates; where there is none, those of `below`; where there is none either, none.
    func over(_ below: Self) -> Self {
        var rates = self
        rates.perMillion.replace(with: below.perMillion, where: perMillion .== Self.none)
        return rates
    }

    /// The dearer rate for each meter; none counts as the cheapest.
    func dearer(_ other: Self) -> Self {
        var rates = self
        rates.perMillion = pointwiseMax(perMillion, other.perMillion)
        return rates
    }

    /// All rates that hold, where these are named and `own` of them for this very service and size.
    func withFallbacks(own: Self) -> Self {
        var rates = self
        for (meter, other) in Self.fallbacks {
            if rates[meter] == nil { rates[meter] = rates[other] }
            // A rate taken over from a smaller size must not undercut the shorter life at this one.
            let isLonger = meter == .cacheWriteHour || meter == .cacheWriteHalfDay
            if isLonger, own[meter] == nil, let rate = rates[meter], let least = rates[other] {
                rates[meter] = Swift.max(rate, least)
            }
        }
        if rates[.audioCacheRead] == nil {
            rates[.audioCacheRead] = self[.audioInput] ?? rates[.cacheRead]
        }
        if rates[.requests] == nil { rates[.requests] = .zero }
        return rates
    }
}
