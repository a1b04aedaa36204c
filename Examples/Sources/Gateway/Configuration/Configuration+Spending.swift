import CostLedger
import Spillway
import SpillwaySQLite

extension Configuration {
    /// What calls cost, and who pays for them.
    struct Spending: Sendable {
        /// Nil: nothing is priced, and tenants only need a key.
        var prices: PriceBook?
        /// What a call to a model without a price costs; nil: it is refused.
        var unpriced: Price?
        /// Those of tenants among them.
        var limits: [SpendLimit] = []
        /// Empty: everybody may call.
        var tenants: [Tenant] = []
        /// Who may see the books; nobody when it is empty.
        var operators: [KeyHash] = []
        var ledger = Books()
    }

    /// A customer.
    struct Tenant: Sendable {
        let name: String
        let keys: [(name: String, hash: KeyHash)]
        let project: String?
        /// Nil: as for everybody.
        let onLimit: OnLimit?
    }

    /// How the books are kept.
    struct Books: Sendable {
        /// The most tokens of an answer whose request does not say.
        var assumedOutput = 4_096
        var holdLifetime: Duration = .seconds(3_600)
        var onLimit = OnLimit.finish
        /// Where postings are kept; nil: in memory alone.
        var file: String?
        /// Whether a posting that is stored survives a power loss, too.
        var synchronous = SQLiteLedgerStore.Synchronous.full
        /// What must be stored before a caller goes on, where postings are kept.
        var durability = Ledger.Durability.settlements
        /// Whether calls go on while postings cannot be kept.
        var failsOpen = false
        /// The most tenants, keys, users, sessions and so on in use at once.
        var scopes = 100_000
    }
}
