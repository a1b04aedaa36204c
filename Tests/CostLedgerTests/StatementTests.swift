import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct StatementTests {
    @Test func `sources, overage, voids and suspense are told apart`() {
        var statement = Statement()
        statement.add(contentsOf: [
            .made(1, .held), .made(1, cost: 70),
            .made(2, cost: 150, source: .metered),
            .made(3, operation: 2, cost: 5, source: .estimated),
            .made(4, .voided), .made(5, .held), .made(5, .suspended), .made(6, .held),
            .made(7, .held, held: 100), .made(7, .suspended, held: 130), .made(7, held: 130, cost: 9),
        ])
        let total = statement.total
        #expect([total.provider, total.metered, total.estimated].map(\.nanodollars) == [79, 150, 5])
        #expect(total.cost.nanodollars == 234)
        #expect([total.overage, total.voided, total.suspended, total.held].map(\.nanodollars) == [50, 100, 100, 100])
        #expect(total.attempts == 4)
        #expect(total.operations == 3)
    }

    @Test func `windows are those of the hold, in UTC`() {
        var statement = Statement(per: .month)
        // Held ten seconds before December, settled in it.
        statement.add(.made(1, began: 10 * 86_400 - 10, took: 60, cost: 5))
        statement.add(.made(2, began: 10 * 86_400, cost: 7))
        #expect(statement.rows.map { UTCTime(nanoseconds: $0.period.lowerBound).date } == ["2026-11-01", "2026-12-01"])
        #expect(statement.rows.map(\.spend.cost.nanodollars) == [5, 7])
    }

    @Test func `rows are by time, then the dearest first, and those of nobody are not lost`() {
        var statement = Statement(by: .tenant, per: .day)
        statement.add(.made(1, of: [.tenant("b")], cost: 5))
        statement.add(.made(2, of: [.tenant("a")], cost: 5))
        statement.add(.made(3, of: [], cost: 9))
        statement.add(.made(4, of: [.tenant("c")], began: -1, cost: 1))
        #expect(statement.rows.map(\.group) == ["c", nil, "a", "b"])
    }

    @Test func `a posting with two tags is in one row`() {
        var statement = Statement(by: .tag)
        statement.add(.made(1, of: [.tag("b"), .tag("a")], cost: 5))
        statement.add(.made(2, of: [.tag("a"), .tag("b")], cost: 5))
        #expect(statement.rows.map(\.group) == ["a + b"])
    }

    @Test func `a thousand tokens cost what the attempts with tokens did`() {
        var statement = Statement()
        #expect(statement.total.perThousandTokens == nil)
        statement.add(.made(1, cost: 3_000, usage: Usage(input: 1_000, output: 500)))
        statement.add(.made(2, cost: 9_000))
        #expect(statement.total.perThousandTokens == Money(nanodollars: 2_000))
        #expect(statement.total[.input] == 1_000)
    }

    @Test func `all groups together make the total`() {
        forEachSeed(50) { seed, random in
            let postings = randomJournal(&random, operations: 80)
            let cost = postings.reduce(Money.zero) { $0 + $1.cost }
            let settled = postings.count { $0.kind == .settled }
            for kind in Scope.Kind.allCases {
                for window in [Window.hour, .day, .week, .month, .total] {
                    var statement = Statement(by: kind, per: window)
                    statement.add(contentsOf: postings)
                    let rows = statement.rows.map(\.spend), total = statement.total
                    func sum(_ part: (Spend) -> Money) -> Money { rows.reduce(.zero) { $0 + part($1) } }
                    #expect(sum(\.cost) == cost && total.cost == cost, "seed \(seed)")
                    #expect(sum(\.held) == total.held && sum(\.suspended) == total.suspended, "seed \(seed)")
                    #expect(sum(\.overage) == total.overage && sum(\.voided) == total.voided, "seed \(seed)")
                    #expect(rows.reduce(0) { $0 + $1.attempts } == settled, "seed \(seed)")
                    #expect(rows.reduce(0) { $0 + $1.tokens } == total.tokens, "seed \(seed)")
                    #expect(rows.allSatisfy { min($0.held, $0.suspended) >= .zero }, "seed \(seed)")
                    #expect(Set(statement.table.rows.map(\.count)) == [statement.table.header.count], "seed \(seed)")
                }
            }
        }
    }

    @Test func `the order of postings does not matter`() {
        forEachSeed(50) { seed, random in
            let postings = randomJournal(&random, operations: 40)
            var statement = Statement(by: .model, per: .day), answers = AnswerCosts(within: .seconds(8), by: .tenant)
            var burn = BurnDown(over: Window.month.period(at: reportDay), at: reportDay + 86_400 * second)
            var others = (statement, answers, burn)
            statement.add(contentsOf: postings)
            answers.add(contentsOf: postings)
            burn.add(contentsOf: postings)
            let shuffled = postings.shuffled(using: &random)
            others.0.add(contentsOf: shuffled)
            others.1.add(contentsOf: shuffled)
            others.2.add(contentsOf: shuffled)
            #expect(others.0.rows == statement.rows && others.0.total == statement.total, "seed \(seed)")
            #expect(others.1.rows == answers.rows, "seed \(seed)")
            #expect(others.2.points == burn.points && others.2.perHour == burn.perHour, "seed \(seed)")
        }
    }

    @Test func `carbon dioxide by region and hour, and never nothing where it is not known`() {
        var footprint = Footprint()
        // 2 Wh for a thousand tokens of the answer.
        footprint.setEnergy(milliwattHours: [.output: 2_000_000], for: "m")
        footprint.setIntensity(gramsPerKilowattHour: 400, of: .tag("west"))
        footprint.setIntensity(gramsPerKilowattHour: 100, of: .tag("west"), from: reportDay + 3_600 * second)
        let scopes: [Scope] = [.model("m"), .tag("west")], usage = Usage(input: 7, output: 500)
        var statement = Statement(per: .hour, footprint: footprint)
        statement.add(.made(1, of: scopes, usage: usage))
        statement.add(.made(2, of: scopes, began: 3_600, usage: usage))
        statement.add(.made(3, of: [.model("m")], usage: usage))
        statement.add(.made(4, of: [.model("other"), .tag("west")], usage: usage))
        statement.add(.made(5, of: scopes))
        // 1 Wh at 400 g/kWh is 0.4 g.
        #expect(statement.rows.map(\.spend.micrograms) == [400_000, 100_000])
        #expect(statement.total.attemptsWithoutFootprint == 3)
        #expect(statement.table.header.suffix(2) == ["micrograms_co2", "attempts_without_co2"])
    }

    @Test func `the footprint rounds to the nearest, ties to even`() {
        var footprint = Footprint()
        footprint.setEnergy(milliwattHours: [.output: 500_000], for: "m")
        footprint.setIntensity(gramsPerKilowattHour: 1, of: .provider("p"))
        let micrograms = [1, 3, 5].map {
            footprint.micrograms(of: .made(1, of: [.model("m"), .provider("p")], usage: Usage(output: $0)))
        }
        #expect(micrograms == [0, 2, 2])
    }
}

@Suite struct AnswerCostTests {
    @Test func `an answer costs all attempts of its operation`() {
        var answers = AnswerCosts(within: .seconds(8))
        answers.add(contentsOf: [
            // A retry: 2 s, then 5 s; in time with the wait between.
            .made(1, operation: 10, attempt: 1, took: 2, cost: 30, .failure(.timeout)),
            .made(2, operation: 10, attempt: 2, began: 3, took: 5, cost: 100),
            // A hedge: the second wins, the first ends as a loser.
            .made(3, operation: 20, attempt: 1, took: 9, cost: 40, .neutral(.cancelled)),
            .made(4, operation: 20, attempt: 2, began: 4, took: 4, cost: 60),
            // Late by a second.
            .made(5, operation: 30, attempt: 1, took: 9, cost: 50),
            // Failed.
            .made(6, operation: 40, attempt: 1, cost: 20, .failure(.serverError)),
        ])
        let total = answers.total
        #expect([total.answers, total.inTime, total.failed, total.open] == [3, 2, 1, 0])
        #expect(total.cost.nanodollars == 300)
        #expect(total.wasted.nanodollars == 90)
        #expect(total.perAnswer?.nanodollars == 100)
        #expect(total.perAnswerInTime?.nanodollars == 150)
    }

    @Test func `of two successes the earlier is the answer`() {
        var answers = AnswerCosts(within: .seconds(8))
        answers.add(.made(2, operation: 1, attempt: 2, began: 1, took: 7, cost: 5))
        answers.add(.made(1, operation: 1, attempt: 1, took: 4, cost: 3))
        #expect(answers.total.answers == 1)
        #expect(answers.total.wasted.nanodollars == 5)
    }

    @Test func `a call that never ran is no failure, and one under way is open`() {
        var answers = AnswerCosts(within: .seconds(8))
        answers.add(.made(1, .voided))
        answers.add(.made(2, .held))
        answers.add(.made(2, .voided))
        answers.add(.made(3, .held))
        answers.add(.made(4, .held))
        answers.add(.made(4, .suspended))
        answers.add(.made(5, operation: 3, attempt: 2, cost: 4, .failure(.timeout)))
        #expect([answers.total.answers, answers.total.failed, answers.total.open] == [0, 0, 2])
        #expect(answers.total.perAnswer == nil)
        answers.add(.made(3, cost: 4))
        #expect([answers.total.answers, answers.total.failed, answers.total.open] == [1, 0, 1])
    }

    @Test func `the model that answers pays for those that did not`() {
        var answers = AnswerCosts(within: .seconds(8), by: .model)
        answers.add(.made(1, operation: 1, of: [.model("large")], cost: 50, .failure(.timeout)))
        answers.add(.made(2, operation: 1, attempt: 2, of: [.model("small")], cost: 10))
        answers.add(.made(3, operation: 3, of: [.model("large")], cost: 7, .failure(.timeout)))
        #expect(answers.rows.map(\.group) == ["small", "large"])
        #expect(answers.rows.map(\.cost.nanodollars) == [60, 7])
    }

    @Test func `an operation belongs to the period in which it began, whole`() {
        let postings: [Posting] = [
            .made(1, operation: 1, attempt: 1, began: -2, cost: 1, .failure(.timeout)),
            .made(2, operation: 1, attempt: 2, began: 1, cost: 2),
            // The second attempt ends before the first.
            .made(3, operation: 3, attempt: 2, began: 101, cost: 4, .failure(.timeout)),
            .made(4, operation: 3, attempt: 1, began: 99, took: 9, cost: 8),
            .made(5, operation: 5, attempt: 1, began: 100, cost: 16),
        ]
        var answers = AnswerCosts(within: .seconds(60), period: reportDay..<reportDay + 100 * second)
        answers.add(contentsOf: postings)
        #expect(answers.total.answers == 1)
        #expect(answers.total.cost.nanodollars == 12)
        answers = AnswerCosts(within: .seconds(60), period: reportDay..<reportDay + 100 * second)
        answers.add(contentsOf: postings.reversed())
        #expect(answers.total.cost.nanodollars == 12)
    }

    @Test func `the parts make the whole`() {
        forEachSeed(100) { seed, random in
            let postings = randomJournal(&random, operations: 100)
            let cost = postings.reduce(Money.zero) { $0 + $1.cost }
            for kind in [nil, Scope.Kind.tenant, .model, .tag] {
                var answers = AnswerCosts(within: .seconds(8), by: kind)
                answers.add(contentsOf: postings)
                let rows = answers.rows, total = answers.total
                #expect(rows.reduce(.zero) { $0 + $1.cost } == cost && total.cost == cost, "seed \(seed)")
                for row in rows + [total] {
                    #expect(row.wasted >= .zero && row.wasted <= row.cost && row.inTime <= row.answers, "seed \(seed)")
                    // To half a nano-dollar for each answer.
                    guard let share = row.perAnswer else { continue }
                    let off = share.nanodollars * Int64(row.answers) - row.cost.nanodollars
                    #expect(abs(off) * 2 <= Int64(row.answers), "seed \(seed)")
                }
            }
        }
    }
}
