import CostLedger
import Foundation
import SpillwaySQLite

/// What a file says, counted from its postings alone.
struct Recount {
    private struct Account: Hashable {
        let scope: Scope
        let window: Window
    }
    private struct Sums: Equatable {
        var held = Money.zero
        var spent = Money.zero
        var overage = Money.zero
        var suspense = Money.zero
    }

    /// How many postings there are.
    private(set) var count = 0
    /// How many of the open holds no ledger had found open before.
    private(set) var openAtDeath = 0
    private var held: [UInt64: Posting] = [:]
    private var suspended: [UInt64: Posting] = [:]
    private var ended: [UInt64: Posting] = [:]
    private let image: LedgerImage
    private let balances: [Balance]
    private var wrong: [String] = []

    /// The numbers of holds that are open.
    private(set) var open: Set<UInt64> = []

    init(_ path: String) async throws {
        let reader = try await SQLiteLedgerReader(path)
        image = try await reader.image(at: 0)
        balances = try await reader.balances()
        var held: [UInt64: Posting] = [:], suspended = held, ended = held, wrong: [String] = [], count = 0
        try await reader.postings { posting in
            count += 1
            let before: Posting?
            switch posting.kind {
            case .held: before = held.updateValue(posting, forKey: posting.number)
            case .suspended: before = suspended.updateValue(posting, forKey: posting.number)
            case .settled, .voided, .saved: before = ended.updateValue(posting, forKey: posting.number)
            }
            if before != nil { wrong.append("\(posting.number) is there twice as \(posting.kind)") }
        }
        (self.held, self.suspended, self.ended, self.wrong, self.count) = (held, suspended, ended, wrong, count)
        open = Set(held.keys).union(suspended.keys).subtracting(ended.keys)
        openAtDeath = open.count { suspended[$0] == nil }
    }

    /// What contradicts the receipts, or itself.
    func problems(_ receipts: [Receipt]) -> [String] {
        var problems = wrong
        for receipt in receipts {
            switch receipt {
            case .settled(let number, let cost):
                if ended[number]?.kind != .settled || ended[number]?.cost != Money(nanodollars: cost) {
                    problems.append("settled \(number) at \(cost), found \(ended[number].map { "\($0)" } ?? "nothing")")
                }
            case .held(let number, let amount):
                guard let found = ended[number] ?? suspended[number] ?? held[number] else {
                    problems.append("held \(number), found nothing")
                    continue
                }
                if found.held < Money(nanodollars: amount) {
                    problems.append("held \(amount) as \(number), found \(found.held)")
                }
            case .voided(let number):
                if open.contains(number) || ended[number]?.kind == .settled {
                    problems.append("voided \(number), and it is there")
                }
            case .opened, .refused: break
            }
        }
        if Set(image.open.map(\.number)) != open {
            problems.append("open are \(open.count), the file says \(image.open.count)")
        }
        return problems + balanceProblems()
    }

    /// Each account is what the postings of its scope sum to, and none has taken more than its limit but for overage.
    private func balanceProblems() -> [String] {
        var problems: [String] = [], recounted: [Scope: Sums] = [:], stored: [Account: Sums] = [:]
        for (_, posting) in ended where posting.kind == .settled {
            for scope in posting.scopes {
                recounted[scope, default: Sums()].spent += min(posting.cost, posting.held)
                recounted[scope, default: Sums()].overage += posting.overage
            }
        }
        for number in open {
            let lies = suspended[number]
            guard let posting = lies ?? held[number] else { continue }
            for scope in posting.scopes {
                if lies == nil {
                    recounted[scope, default: Sums()].held += posting.held
                } else {
                    recounted[scope, default: Sums()].suspense += posting.held
                }
            }
        }
        // A scope has one kind of window here; its windows together are what its postings make.
        for balance in balances {
            let account = Account(scope: balance.scope, window: balance.window)
            stored[account, default: Sums()].held += balance.held
            stored[account, default: Sums()].spent += balance.spent
            stored[account, default: Sums()].overage += balance.overage
            stored[account, default: Sums()].suspense += balance.suspense
            if min(balance.held, balance.spent, balance.overage, balance.suspense) < .zero {
                problems.append("\(balance.scope): a negative amount in \(balance)")
            }
            let hard = Work.limits.first { $0.target == .each(balance.scope.kind) }?.hard
            if let hard, balance.taken - balance.overage > hard {
                problems.append("\(balance.scope): took \(balance.taken - balance.overage) of \(hard)")
            }
        }
        for (account, sums) in stored where recounted[account.scope, default: Sums()] != sums {
            problems.append(
                "\(account.scope) \(account.window): stored \(sums), its postings make "
                    + "\(recounted[account.scope].map { "\($0)" } ?? "nothing")")
        }
        for scope in Set(recounted.keys).subtracting(stored.keys.map(\.scope)) {
            problems.append("\(scope): postings without a balance")
        }
        return problems
    }
}
