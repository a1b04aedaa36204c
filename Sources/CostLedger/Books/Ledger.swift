public import SpillwayCore

/// The books of a service: who may spend how much, what is held for calls under way, and what calls have cost.
///
/// Money is held before a call over all scopes that pay for it, or over none, and settled with what the call cost. However
/// many callers there are, no hard limit is passed by more than settled calls cost above what was held for them, and that is
/// booked as overage. In memory alone, or with a ``LedgerStore`` that outlives the process.
public final class Ledger: Sendable {
    /// What a ledger does.
    public struct Configuration: Sendable {
        /// How much may be spent.
        public var limits: [SpendLimit]
        /// What a call to a model costs that has no price; nil: it is refused, as by default.
        public var unpriced: Price?
        /// How long a hold is waited for, from 1 s to 10 years, 1 hour by default.
        ///
        /// After that it lies in suspense: it counts against the limits until it is settled, voided or resolved.
        public var holdLifetime: Duration = .seconds(3_600)
        /// The most scopes in use at once, a million by default.
        ///
        /// Those that nobody pays for and whose windows are over are dropped when a place is needed.
        public var scopes = 1_000_000
        /// When true it holds, books and reports but refuses nothing; false by default.
        public var shadow = false
        /// What must be stored when; see ``Durability``.
        public var durability = Durability.settlements
        /// What to do with calls while the store fails: refuse them (false, the default), or go on and store later what they
        /// cost, as long as there is memory for a million postings.
        public var failsOpen = false

        /// A configuration with these limits.
        public init(limits: [SpendLimit] = [], unpriced: Price? = nil) {
            self.limits = limits
            self.unpriced = unpriced
        }

        func validate() throws(ConfigurationError) {
            try SpendLimit.validate(limits)
            let check = Validation("Ledger")
            try check.duration(holdLifetime, "holdLifetime", atLeast: .seconds(1))
            try check.count(scopes, "scopes", in: 1...100_000_000)
        }
    }

    /// What must have been stored before the caller goes on.
    public enum Durability: Sendable, Hashable {
        /// Nothing: the store is told in its own time.
        case eventual
        /// What an answer cost, before it counts as answered; see ``Ledger/storedBeforeAnswer()``.
        case settlements
        /// That, and what is held for a call before it is sent; see ``Ledger/storedBeforeDispatch()``, which the operation awaits.
        case holds
    }

    /// What rejections and metrics call the ledger.
    public let name: String
    /// What models cost.
    public let prices: PriceBook
    /// What must be stored when.
    public let durability: Durability
    private let unpriced: PricedModel?
    let state: LedgerState

    /// A ledger in memory.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - prices: What models cost.
    ///   - configuration: Limits, and what else it does.
    ///   - observer: Told of soft limits that were passed, and of what a ledger in shadow mode would have refused.
    ///   - epoch: The wall clock's nanoseconds since 1970 at `Instant.zero`, for tests; by default that of the machine, which is
    ///     looked at again whenever a window ends.
    /// - Throws: `ConfigurationError` with the field and its value.
    public convenience init(
        _ name: String, prices: PriceBook = PriceBook(), _ configuration: Configuration = Configuration(),
        observer: (any Observer)? = nil, epoch: Int64? = nil
    ) throws(ConfigurationError) {
        try self.init(name, prices, configuration, observer, epoch, isStored: false)
    }

    init(
        _ name: String, _ prices: PriceBook, _ configuration: Configuration, _ observer: (any Observer)?,
        _ epoch: Int64?, isStored: Bool
    ) throws(ConfigurationError) {
        try Validation("Ledger").name(name)
        try configuration.validate()
        try prices.validate()
        self.name = name
        self.prices = prices
        durability = configuration.durability
        unpriced = configuration.unpriced.flatMap { PricedModel([(.min, $0)]) }
        let books = Books(
            configuration.limits, epoch: epoch, mostScopes: configuration.scopes,
            holdLifetime: configuration.holdLifetime, isStored: isStored)
        state = LedgerState(name, books, isShadow: configuration.shadow, observer: observer)
    }

    deinit { state.orphan() }

    /// An account of scopes that pay together.
    ///
    /// - Parameters:
    ///   - scopes: Who pays, one to eight of them, none twice.
    ///   - model: The model whose price from the book it pays; nil: it holds amounts that it is given, and calls by the price of
    ///     the account that they go to.
    ///   - service: How urgently the provider works.
    ///   - onLimit: What becomes of an answer that costs more than is held for it, ``OnLimit/finish`` by default; where a call
    ///     has a payer, what that says counts.
    ///   - isPayerNeeded: Whether calls must say who pays (`Call.payer`); false by default.
    ///   - extra: A scope that pays also for each attempt of a bill beyond its first, so that a limit on it bounds what retries,
    ///     hedges and fallbacks may cost; none by default.
    ///   - now: The time, for the windows of scopes that are new.
    /// - Throws: `ConfigurationError` for scopes that cannot be, or more of them than the ledger has places for. A model without a
    ///   price is no error here: calls to it are refused as `unpriced`, or cost what the configuration says.
    public func account(
        _ scopes: Scope..., model: String? = nil, service: Price.Service = .standard, onLimit: OnLimit = .finish,
        isPayerNeeded: Bool = false, extra: Scope? = nil, at now: Instant = SystemTime().now
    ) throws(ConfigurationError) -> Account {
        try account(
            of: scopes, model: model, service: service, onLimit: onLimit, isPayerNeeded: isPayerNeeded, extra: extra,
            at: now)
    }

    /// As ``account(_:model:service:onLimit:isPayerNeeded:extra:at:)``, for scopes in an array.
    public func account(
        of scopes: [Scope], model: String? = nil, service: Price.Service = .standard, onLimit: OnLimit = .finish,
        isPayerNeeded: Bool = false, extra: Scope? = nil, at now: Instant = SystemTime().now
    ) throws(ConfigurationError) -> Account {
        let all = scopes + [extra].compactMap(\.self)
        let check = Validation("Account")
        try check.count(scopes.count, "scopes", in: 1...8)
        try check.require(Set(all).count == all.count, "scopes", all, "different from each other")
        for scope in all { try check.name(scope.name) }
        let lines = try state.withBooks { books throws(ConfigurationError) -> [UInt32] in
            let count = all.reduce(0) { $0 + books.bookCount(of: $1) }
            try check.require(
                count <= HoldRecord.mostBooks, "scopes", "\(count) limits over all of them",
                "at most \(HoldRecord.mostBooks) limits for one call")
            var lines: [UInt32] = []
            for scope in all {
                guard let line = books.enter(scope, at: now) else {
                    for line in lines { books.leave(line) }
                    throw ConfigurationError(
                        policy: "Ledger", field: "scopes", value: "all in use",
                        expected: "a larger number in the configuration")
                }
                lines.append(line)
            }
            return lines
        }
        let priced = model.flatMap { PricedModel(prices.prices(of: $0)) ?? unpriced }
        return Account(
            self, scopes, Array(lines[..<scopes.count]), extra: extra.map { _ in lines[scopes.count] }, model: model,
            priced, service, onLimit, isPayerNeeded: isPayerNeeded)
    }

    func nextNumber() -> UInt64 {
        state.withBooks { books in
            books.lastNumber += 1
            return books.lastNumber
        }
    }

    /// Puts new limits in force; what was spent in windows that go on stays spent, and those of new kinds begin empty.
    ///
    /// - Throws: `ConfigurationError`; then the old limits stay.
    public func update(limits: [SpendLimit], at now: Instant) throws(ConfigurationError) {
        try SpendLimit.validate(limits)
        state.withBooks { $0.update(limits, at: now) }
    }

    /// Moves holds that have outlived their time to suspense; every new hold does that too.
    public func sweep(at now: Instant) { state.withBooks { $0.expire(at: $0.unix(now)) } }
}
