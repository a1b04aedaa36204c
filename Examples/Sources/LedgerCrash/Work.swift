import CostLedger
import SpillwayCore
import SpillwaySQLite

/// What one worker does until it is killed.
struct Work: Sendable {
    let seed: UInt64
    let round: Int
    /// Whether holds are stored before their calls would be sent.
    let waitsForHolds: Bool
    /// Whether the disk is waited for, and not only the system.
    let isFull: Bool

    /// The limits of all rounds: some bind always, some for a moment, and one is never reached.
    static let limits = [
        SpendLimit(each: .tenant, hard: .dollars(1), per: .month),
        SpendLimit(each: .key, hard: Money(nanodollars: 60_000), per: .rolling(.milliseconds(200), steps: 5)),
        SpendLimit(each: .session, hard: Money(nanodollars: 150_000), per: .total),
    ]
    /// So many callers at once.
    static let callers = 24

    /// Opens a ledger on the file at `path`.
    func open(_ path: String) async throws -> (ledger: Ledger, store: SQLiteLedgerStore) {
        let store = try await SQLiteLedgerStore(path, synchronous: isFull ? .full : .normal)
        var configuration = Ledger.Configuration(limits: Self.limits)
        configuration.durability = waitsForHolds ? .holds : .settlements
        return (try await Ledger.open("crash", configuration, store: store), store)
    }
}

/// What a worker has been told is stored, one line each.
enum Receipt: Hashable {
    case opened
    case held(UInt64, Int64)
    case settled(UInt64, Int64)
    case voided(UInt64)
    /// A limit refused.
    case refused

    var line: String {
        switch self {
        case .opened: "O\n"
        case .held(let number, let amount): "H \(number) \(amount)\n"
        case .settled(let number, let cost): "S \(number) \(cost)\n"
        case .voided(let number): "V \(number)\n"
        case .refused: "R\n"
        }
    }

    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        switch (words.first, words.count) {
        case ("O", 1): self = .opened
        case ("R", 1): self = .refused
        case ("V", 2): self = .voided(UInt64(words[1]) ?? 0)
        case ("H", 3): self = .held(UInt64(words[1]) ?? 0, Int64(words[2]) ?? 0)
        case ("S", 3): self = .settled(UInt64(words[1]) ?? 0, Int64(words[2]) ?? 0)
        default: return nil
        }
    }
}
