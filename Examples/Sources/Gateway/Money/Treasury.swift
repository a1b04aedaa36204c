import CostLedger
import HTTPTypes
import Logging
import Spillway

/// Who may call, and who pays: the keys of tenants, and the ledger.
final class Treasury: Sendable {
    /// The books; nil: nothing is priced.
    let ledger: Ledger?
    /// The most tokens of an answer whose request does not say.
    let assumedOutput: Int
    private let tenants: KeyRing<Caller>?
    private let operators: KeyRing<Void>
    /// By what the ledger calls their keys.
    private let byName: [String: Caller]
    /// Who asks where there are no tenants.
    private let nobody: Caller

    /// Opens the books.
    ///
    /// - Parameter tap: Is told of every posting, and keeps it if it can.
    init(_ spending: Configuration.Spending, tap: SpendTap, logger: Logger) async throws {
        let own = spending.ledger
        var configuration = Ledger.Configuration(limits: spending.limits, unpriced: spending.unpriced)
        configuration.holdLifetime = own.holdLifetime
        configuration.scopes = own.scopes
        // What is in memory alone is not worth waiting for.
        configuration.durability = tap.next == nil ? .eventual : own.durability
        configuration.failsOpen = own.failsOpen
        let ledger: Ledger? =
            if let prices = spending.prices {
                try await Ledger.open(
                    "ledger", prices: prices, configuration, store: tap, observer: TransitionLog(logger: logger))
            } else {
                nil
            }
        func caller(_ tenant: String?, _ scopes: [Scope], _ onLimit: OnLimit) throws -> Caller {
            let all = [Scope.gateway] + scopes
            return Caller(
                tenant: tenant, scopes: all, onLimit: onLimit,
                account: try ledger?.account(of: all, onLimit: onLimit))
        }
        let callers = try spending.tenants.flatMap { tenant in
            try tenant.keys.map { key in
                let project = tenant.project.map { [Scope.project("\(tenant.name)/\($0)")] } ?? []
                let scopes = [.tenant(tenant.name)] + project + [.key("\(tenant.name)/\(key.name)")]
                return (hash: key.hash, owner: try caller(tenant.name, scopes, tenant.onLimit ?? own.onLimit))
            }
        }
        self.ledger = ledger
        assumedOutput = own.assumedOutput
        tenants = callers.isEmpty ? nil : KeyRing(callers)
        operators = KeyRing(spending.operators.map { ($0, ()) })
        byName = Dictionary(callers.compactMap { own in own.owner.keyName.map { ($0, own.owner) } }) { first, _ in first
        }
        nobody = try caller(nil, [], own.onLimit)
    }

    /// Who asks with these headers.
    ///
    /// - Throws: ``APIError`` with the status 401.
    func caller(_ headers: HTTPFields) throws -> Caller {
        guard let tenants else { return nobody }
        let key = headers.bearerKey
        guard let caller = key.flatMap({ tenants.owner(of: $0) }) else { throw APIError.unauthorized(key) }
        return caller
    }

    /// Whose key the ledger calls `key`; nil: it is gone.
    func caller(named key: String) -> Caller? { byName[key] }

    /// Whether nobody may ask without a key.
    var needsKeys: Bool { tenants != nil }

    /// Who asks without a key; nil: nobody may.
    func anybody() -> Caller? { needsKeys ? nil : nobody }

    /// Checks that it is the operator who asks.
    ///
    /// - Throws: ``APIError`` with the status 401.
    func checkOperator(_ headers: HTTPFields) throws {
        let key = headers.bearerKey
        guard key.flatMap({ operators.owner(of: $0) }) != nil else { throw APIError.unauthorized(key) }
    }

    /// The bill of one call, to which all its attempts go; nil: nothing is priced.
    ///
    /// - Throws: ``APIError`` with the status 503 when there are more scopes in use than the ledger has places for.
    func bill(_ request: ModelRequest, by route: Route, for caller: Caller, session: String?) throws -> Bill? {
        guard let ledger, let usual = caller.account else { return nil }
        var scopes = caller.scopes
        if let user = request.user { scopes.append(caller.scope(.user, user)) }
        if let session { scopes.append(caller.scope(.session, session)) }
        // A place for any model has no price of its own: there the model that was asked for sets it.
        let model = route.hasWildcard ? request.model : nil
        if scopes.count == caller.scopes.count, model == nil { return usual.bill() }
        do throws(ConfigurationError) {
            return try ledger.account(of: scopes, model: model, onLimit: caller.onLimit).bill()
        } catch {
            throw APIError(
                .serviceUnavailable, "Too many sessions and users are in use", type: "overloaded_error",
                code: "too_many_keys")
        }
    }
}

extension Bill {
    /// What the caller may still spend, by limits of its own; nil: none bounds it.
    ///
    /// What the gateway as a whole may still spend is not for it to know.
    func remaining(at now: Instant) -> Money? {
        account.ownStandings(at: now).compactMap(\.remaining).min()
    }
}

extension Account {
    /// How the caller's own scopes stand: not that of the gateway, whose figures are those of all tenants together.
    func ownStandings(at now: Instant) -> [Standing] {
        scopes.filter { $0 != .gateway }.flatMap { ledger.standings(of: $0, at: now) }
    }
}

extension Money {
    /// Dollars in digits alone, such as `0.0025`.
    var digits: String { description.replacing("$", with: "") }
}
