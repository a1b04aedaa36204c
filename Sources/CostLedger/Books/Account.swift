private import CSpillway
public import SpillwayCore

/// Scopes that pay together, and the price of what they pay for: a gate that holds money for every attempt.
///
/// As a gate it holds what the attempt is taken to cost, over all scopes at once or over none, and settles what it did cost:
/// by what `Attempt.used(_:)` was told, else by the estimate, unless the attempt surely cost nothing. An account of who asks goes
/// with the call (`Call(payer:)`), one of what is asked stands in the policy or at a target; both then pay.
public final class Account: BuiltInGate, Payer {
    /// The books.
    public let ledger: Ledger
    /// Who pays.
    public let scopes: [Scope]
    /// The model whose price it is; nil: none, and the account holds only given amounts.
    public let model: String?
    /// What becomes of an answer that costs more than is held for it.
    public let onLimit: OnLimit
    let priced: PricedModel?
    let service: Price.Service
    /// Places of the scopes in the books.
    ///
    /// A buffer, because to walk an array counts a reference to it.
    nonisolated(unsafe) let lines: UnsafeBufferPointer<UInt32>
    /// Those, and in the end that of extra attempts.
    nonisolated(unsafe) let linesOfExtras: UnsafeBufferPointer<UInt32>
    private let gate: AccountState

    init(
        _ ledger: Ledger, _ scopes: [Scope], _ lines: [UInt32], extra: UInt32?, model: String?, _ priced: PricedModel?,
        _ service: Price.Service, _ onLimit: OnLimit, isPayerNeeded: Bool
    ) {
        self.ledger = ledger
        self.scopes = scopes
        self.model = model
        self.onLimit = onLimit
        self.priced = priced
        self.service = service
        let all = lines + [extra].compactMap(\.self)
        let buffer = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: all.count)
        _ = buffer.initialize(from: all)
        linesOfExtras = UnsafeBufferPointer(buffer)
        self.lines = UnsafeBufferPointer(rebasing: linesOfExtras[..<lines.count])
        gate = AccountState(ledger.state, isPayerNeeded: isPayerNeeded)
        gate.account = Unmanaged.passUnretained(self)
    }

    deinit {
        ledger.state.withBooks { books in
            for line in linesOfExtras { books.leave(line) }
        }
        linesOfExtras.deallocate()
    }

    /// What rejections and metrics call it: the ledger's name.
    public var name: String { ledger.name }
    /// What permits and policies point to.
    public var state: GateState { gate }

    /// Holds what `call` is taken to cost, a prompt without caches and the longest answer, or refuses.
    ///
    /// - Throws: `Rejection` with the reason `spendLimit` and when the window renews, `unpriced` when nobody knows what the call
    ///   costs, `noTokens` when it does not say how many it takes, `noPayer`, or `ledgerUnavailable`; then nothing was taken.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try gate.admit(call, at: now)
    }

    /// Holds `amount`, or refuses.
    ///
    /// - Throws: `Rejection` with the reason `spendLimit`, also for an amount below 0, or `ledgerUnavailable`; then nothing was
    ///   taken.
    @inline(__always)
    public func hold(_ amount: Money, at now: Instant) throws(Rejection) -> Hold {
        Hold(try ledger.state.hold(amount, self, at: now))
    }

    /// A bill for one operation, to which all its attempts are put.
    public func bill() -> Bill { Bill(self, ledger.nextNumber()) }

    /// What `call` is taken to cost by the account's price: a prompt without caches and the longest answer.
    ///
    /// - Throws: `Unpriced`.
    public func estimate(_ call: Call, at now: Instant) throws(Unpriced) -> Money {
        guard let priced else { throw .model }
        let time = ledger.state.withBooks { $0.unix(now) }
        return try priced.cost(of: Usage(estimatedFor: call.tokens), service: service, at: time)
    }
}

/// What policies point to: the account as a gate.
final class AccountState: GateState, @unchecked Sendable {
    private let ledger: LedgerState
    private let isPayerNeeded: Bool
    /// Whoever admits holds the account.
    fileprivate(set) var account: Unmanaged<Account>!

    init(_ ledger: LedgerState, isPayerNeeded: Bool) {
        self.ledger = ledger
        self.isPayerNeeded = isPayerNeeded
    }

    override var isMetered: Bool { true }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let account = account.takeUnretainedValue()
        var details = HoldDetails(), payer: Account?
        switch call.payer {
        case nil where isPayerNeeded: throw Rejection(ledger.name, .noPayer, retryAfter: -1)
        case nil: break
        case let bill as Bill: (details.bill, payer) = (bill, bill.account)
        case let other as Account: payer = other
        default: throw Rejection(ledger.name, .noPayer, retryAfter: -1)
        }
        if let payer, payer.ledger !== account.ledger { throw Rejection(ledger.name, .noPayer, retryAfter: -1) }
        // The target's price where it has one, else that of who asks.
        let pricing = account.priced != nil ? account : payer ?? account
        let time = ledger.withBooks { $0.unix(now) }
        guard let priced = pricing.priced else { throw Rejection(ledger.name, .unpriced, retryAfter: -1) }
        guard call.tokens != .none || priced.isFree(at: time) else {
            throw Rejection(ledger.name, .noTokens, retryAfter: -1)
        }
        guard let amount = try? priced.cost(of: Usage(estimatedFor: call.tokens), service: pricing.service, at: time)
        else { throw Rejection(ledger.name, .unpriced, retryAfter: -1) }
        details.price = priced
        details.service = pricing.service
        details.onLimit = (payer ?? account).onLimit
        let payers = payer === account ? nil : payer
        return Permit(try ledger.hold(amount, account, payers, details, at: now))
    }
}
