import ArgumentParser
import CostLedger
import Foundation
import SpillwayCore

/// Holds and settles until it is killed, and says on its output what the ledger has acknowledged.
struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work", abstract: "Holds and settles until it is killed.", shouldDisplay: false)

    @Argument var path: String
    @Option var seed: UInt64
    @Option var round: Int
    @Flag var waitsForHolds = false
    @Flag var isFull = false

    func run() async throws {
        let work = Work(seed: seed, round: round, waitsForHolds: waitsForHolds, isFull: isFull)
        let (ledger, _) = try await work.open(path)
        Self.say(.opened)
        // Forever: whoever started it ends it.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<Work.callers {
                group.addTask {
                    let caller = Caller(ledger, work, caller)
                    try await caller.run()
                }
            }
            try await group.waitForAll()
        }
    }

    /// One write of fewer bytes than a pipe takes at once: a receipt is there whole, or not at all.
    static func say(_ receipt: Receipt) {
        let bytes = Array(receipt.line.utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}

/// One of many that spend at once.
private struct Caller {
    private let ledger: Ledger
    private let work: Work
    private let number: Int
    private let random: RandomSource
    private let time = SystemTime()

    init(_ ledger: Ledger, _ work: Work, _ number: Int) {
        self.ledger = ledger
        self.work = work
        self.number = number
        random = .seeded(work.seed &+ UInt64(number) &* 0x1_0001)
    }

    func run() async throws {
        var sessions = 0, refusals = 0
        while true {
            let account = try ledger.account(
                .tenant("tenant-\(number % 3)"), .key("key-\(random.next() % 7)"), .model("large"),
                .session("round-\(work.round)-\(number % 6)-\(sessions)"), at: time.now)
            // An account for some calls: that scopes come and go belongs to it.
            for _ in 0..<20 {
                if try await !call(account) { refusals += 1 }
            }
            if refusals > 100 { (sessions, refusals) = (sessions + 1, 0) }
        }
    }

    /// One call; false when a limit refused it.
    private func call(_ account: Account) async throws -> Bool {
        let amount = Int64(random.next() % 1_000 + 1)
        let hold: Hold
        do throws(Rejection) { hold = try account.hold(Money(nanodollars: amount), at: time.now) } catch {
            guard error.reason == .spendLimit else { throw error }
            WorkCommand.say(.refused)
            try await time.sleep(for: .milliseconds(1))
            return false
        }
        let number = hold.number, dice = random.next() % 100, part = Int64(random.next() % 1_300)
        try await ledger.storedBeforeDispatch()
        if work.waitsForHolds { WorkCommand.say(.held(number, amount)) }
        // Some take long, so that the ledger stores and the window ends meanwhile.
        if dice % 4 == 0 { for _ in 0..<(dice % 8) { try await ledger.stored() } }
        if dice < 15 {
            hold.void(at: time.now)
            try await ledger.stored()
            WorkCommand.say(.voided(number))
        } else if dice < 20 {
            // Dropped.
            _ = consume hold
        } else {
            if dice < 35 { _ = hold.extend(to: Money(nanodollars: amount * 2), at: time.now) }
            let cost = amount * part / 1_000
            hold.settle(Money(nanodollars: cost), at: time.now)
            try await ledger.storedBeforeAnswer()
            WorkCommand.say(.settled(number, cost))
        }
        return true
    }
}
