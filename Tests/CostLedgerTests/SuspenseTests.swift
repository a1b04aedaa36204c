import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct SuspenseTests {
    private let acme = Scope.tenant("acme")

    @Test func `a hold that outlives its time lies in suspense and still counts`() throws {
        let limits = [SpendLimit(acme, hard: .dollars(10), per: .total)]
        let ledger = try makeLedger(limits) { $0.holdLifetime = .seconds(60) }
        let account = try ledger.account(acme, at: at(0))
        let hung = try account.hold(.dollars(6), at: at(0)), young = try account.hold(.dollars(1), at: at(30))
        ledger.sweep(at: at(60))
        #expect(ledger.suspended().isEmpty)
        #expect(!account.spend(.dollars(4), at: at(61)))
        let standing = ledger.standing(acme, at: at(61))
        #expect(standing.balance.suspense == .dollars(6) && standing.balance.held == .dollars(1))
        #expect(ledger.suspended().map(\.held) == [.dollars(6)])
        #expect(ledger.audit() == [])
        // It was not lost after all.
        hung.settle(.dollars(2), at: at(100))
        young.settle(.dollars(1), at: at(101))
        #expect(ledger.standing(acme, at: at(101)).taken == .dollars(3))
        #expect(ledger.suspended().isEmpty)
        #expect(ledger.audit() == [])
    }

    @Test func `what lies in suspense is resolved once`() throws {
        let limits = [SpendLimit(acme, hard: .dollars(10), per: .total)]
        let ledger = try makeLedger(limits) { $0.holdLifetime = .seconds(60) }
        let account = try ledger.account(acme, at: at(0))
        let first = try account.hold(.dollars(3), at: at(0)), second = try account.hold(.dollars(4), at: at(1))
        ledger.sweep(at: at(100))
        let numbers = ledger.suspended().map(\.number)
        #expect(numbers.count == 2)
        #expect(ledger.resolve(numbers[0], cost: .dollars(5), at: at(101)))
        #expect(!ledger.resolve(numbers[0], cost: .dollars(5), at: at(101)))
        #expect(ledger.resolve(numbers[1], cost: nil, at: at(101)))
        #expect(!ledger.resolve(99, cost: nil, at: at(101)))
        let standing = ledger.standing(acme, at: at(101))
        #expect(standing.taken == .dollars(5) && standing.balance.overage == .dollars(2))
        // The owners come too late.
        first.settle(.dollars(9), at: at(102))
        second.void(at: at(102))
        #expect(ledger.standing(acme, at: at(102)).taken == .dollars(5))
        #expect(ledger.audit() == [])
    }

    @Test func `holds are settled and expire in any order`() throws {
        for seed in UInt64(1)...100 {
            var random = RandomSource.seeded(seed)
            let ledger = try makeLedger([SpendLimit(acme, hard: .max, per: .total)]) { $0.holdLifetime = .seconds(60) }
            let account = try ledger.account(acme, at: at(0))
            var tokens: [(UInt64, at: Double)] = [], now = 0.0
            for _ in 0..<200 {
                now += Double.random(in: 0...5, using: &random)
                if Bool.random(using: &random) || tokens.isEmpty {
                    tokens.append((try ledger.state.hold(.cents(1), account, at: at(now)).token, now))
                } else {
                    let index = Int.random(in: 0..<tokens.count, using: &random)
                    ledger.state.settle(tokens.remove(at: index).0, .cents(1), .provider, .success, at: at(now))
                }
                ledger.sweep(at: at(now))
                let old = tokens.count { now - $0.at > 60.000_001 }, young = tokens.count { now - $0.at < 59.999_999 }
                let suspended = ledger.suspended().count
                #expect(suspended >= old && suspended <= tokens.count - young, "seed \(seed)")
            }
            #expect(ledger.audit() == [], "seed \(seed)")
        }
    }
}
