import SpillwayCore
import Testing

@Suite(.timeLimit(.minutes(10))) struct PropagationTests {
    private func context(_ headers: [String: String]) -> CallContext {
        CallContext(headers: { headers[$0] }, at: at(100))
    }

    @Test("what is left of the time travels in whole milliseconds, and is never 0 before it is over")
    func timeout() {
        for (left, text) in [
            (30.0, "30000"), (1.9999, "1999"), (0.000_000_001, "1"), (0, "0"), (-5, "0"), (315_576_000, "315576000000"),
        ] {
            let sent = CallContext(deadline: at(100 + left)).headers(at: at(100))
            #expect(sent.map(\.name) == ["x-spillway-timeout-ms"] && sent.map(\.value) == [text])
        }
        #expect(CallContext(deadline: .distantFuture).headers(at: Instant(nanoseconds: .min)).count == 1)
        #expect(CallContext(deadline: Instant(nanoseconds: .min)).headers(at: .distantFuture).map(\.value) == ["0"])
        #expect(CallContext().headers(at: at(100)).isEmpty)
        #expect(context(["x-spillway-timeout-ms": "1500"]).deadline == at(101.5))
        #expect(context(["x-spillway-timeout-ms": " 0\t"]).deadline == at(100))
        #expect(context([:]).deadline == nil && context([:]).budgets.isEmpty)
    }

    @Test(
        "headers that make no sense are as none",
        arguments: [
            "", " ", "-", "- 1", "--1", "1-", "-1.5", "+1", "1.5", "1e3", "0x10", "1 2", "ten", "1,5", "١٢", "1\u{0}",
            "\n1", "💧",
        ])
    func garbage(text: String) {
        let context = context(["x-spillway-timeout-ms": text, "x-spillway-allowance": text])
        #expect(context.deadline == nil && context.budgets.isEmpty)
    }

    @Test(
        "a number below 0 is 0: the deadline has passed, and no extra attempt is left",
        arguments: ["-5", " -1\t", "-0"])
    func negative(text: String) {
        let context = context(["x-spillway-timeout-ms": text, "x-spillway-allowance": text])
        #expect(context.deadline == at(100))
        #expect(context.budgets.allowance?.remaining == 0 && !context.budgets.withdraw(at: at(100)))
    }

    @Test("the most negative number, and one beyond it", arguments: ["-9223372036854775808", "-99999999999999999999"])
    func mostNegative(text: String) {
        #expect(context(["x-spillway-timeout-ms": text]).deadline == at(100))
    }

    @Test("headers in a dictionary are found in whatever case they are written")
    func cases() {
        for name in ["x-spillway-timeout-ms", "X-Spillway-Timeout-Ms", "X-SPILLWAY-TIMEOUT-MS"] {
            #expect(CallContext(headers: [name: "1500"], at: at(100)).deadline == at(101.5))
        }
        let both = ["X-Spillway-Allowance": "1", "x-spillway-allowance": "2", "accept": "*/*"]
        #expect(CallContext(headers: both, at: at(100)).budgets.allowance?.remaining == 2)
        #expect(CallContext(headers: ["accept": "*/*"], at: at(100)).deadline == nil)
    }

    @Test("absurd numbers are clamped", arguments: ["9223372036854775807", String(repeating: "9", count: 10_000)])
    func absurd(text: String) {
        let context = context(["x-spillway-timeout-ms": text, "x-spillway-allowance": text])
        #expect(context.deadline == at(100).advanced(by: .seconds(315_576_000)))
        #expect(context.budgets.allowance?.remaining == 1_000_000)
    }

    @Test("any bytes: never a crash, and never a time that is past or an allowance below 0")
    func anyBytes() {
        forSeeds(5_000) { seed, random in
            let alphabet = Array("0123456789 -+.x\t\u{e9}".unicodeScalars)
            let text = String(
                String.UnicodeScalarView(
                    (0..<random.next(through: 30)).map { _ in
                        alphabet[Int(random.next(through: UInt64(alphabet.count - 1)))]
                    }))
            let context = context(["x-spillway-timeout-ms": text, "x-spillway-allowance": text])
            #expect(context.deadline.map { $0 >= at(100) } ?? true, "seed \(seed)")
            #expect((context.deadline == nil) == context.budgets.isEmpty, "seed \(seed)")
            #expect(context.budgets.allowance.map { (0...1_000_000).contains($0.remaining) } ?? true, "seed \(seed)")
        }
    }

    @Test("an allowance that is not lent is not given away")
    func withoutLoan() {
        let context = CallContext(budgets: BudgetChain.none.adding(Allowance(3)))
        #expect(context.headers(at: at(0)).map(\.value) == ["0"])
        let loan = context.budgets.lend(atMost: 2)
        #expect(context.headers(at: at(0), loan: loan).map(\.value) == ["2"])
        #expect(context.budgets.allowance?.remaining == 1)
        #expect(CallContext().budgets.lend() == nil)
    }

    @Test("a loan is settled once, and without a word counts as spent")
    func settling() {
        for (header, left) in [("0", 5), ("2", 3), ("5", 0), ("9", 0), (nil, 0), ("-1", 0), ("two", 0)] {
            let allowance = Allowance(5), chain = BudgetChain.none.adding(allowance)
            let loan = chain.lend()
            #expect(loan?.attempts == 5 && allowance.remaining == 0 && !chain.withdraw(at: at(0)))
            loan?.settle(spentHeader: header)
            #expect(allowance.remaining == left, "\(header ?? "none")")
            loan?.settle(spentHeader: "0")
            loan?.cancel()
            #expect(allowance.remaining == left)
        }
    }

    @Test("what was answered stays true: a closed allowance pays for nothing more, whatever is put back")
    func closing() {
        let context = context(["x-spillway-allowance": "4"])
        #expect(context.budgets.withdraw(at: at(0)))
        let loan = context.budgets.lend(atMost: 2)
        #expect(context.answerHeaders().map(\.value) == ["3"])
        loan?.settle(spentHeader: "0")
        context.budgets.restore()
        #expect(!context.budgets.withdraw(at: at(0)) && context.budgets.allowance?.remaining == 0)
        #expect(context.answerHeaders().map(\.value) == ["3"])
        #expect(CallContext().answerHeaders().isEmpty)
    }

    @Test("more than one allowance around a call: none lends more than it has")
    func several() {
        let outer = Allowance(2), inner = Allowance(5)
        let chain = BudgetChain.none.adding(outer).adding(inner)
        let loan = chain.lend()
        #expect(loan?.attempts == 2 && outer.remaining == 0 && inner.remaining == 3)
        loan?.settle(spentHeader: "1")
        #expect(outer.remaining == 1 && inner.remaining == 4)
    }

    @Test("a share of what is left is lent, rounded down, so that something remains for others")
    func share() {
        for (share, left, lent) in [
            (0.5, 5, 2), (0.5, 1, 0), (0.5, 0, 0), (0, 5, 0), (1, 5, 5), (0.99, 100, 99), (-1, 5, 0), (7, 5, 5),
            (.nan, 5, 0), (1, .max, .max), (1.0.nextDown, .max, .max - 1_023),
        ] {
            let allowance = Allowance(left)
            let loan = BudgetChain.none.adding(allowance).lend(share: share)
            #expect(loan?.attempts == lent && allowance.remaining == left - lent, "\(share) of \(left)")
            loan?.cancel()
            #expect(allowance.remaining == left)
        }
        let outer = Allowance(2), inner = Allowance(9)
        let chain = BudgetChain.none.adding(outer).adding(inner)
        #expect(chain.lend(share: 0.5)?.attempts == 1 && outer.remaining == 1 && inner.remaining == 8)
        #expect(chain.lend(atMost: 3, share: 1)?.attempts == 1 && outer.remaining == 0 && inner.remaining == 7)
        _ = CallContext(budgets: chain).answerHeaders()
        #expect(chain.lend(share: 0.5)?.attempts == 0)
    }

    @Test("an extra attempt is drawn from every budget, or from none")
    func chain() {
        forSeeds(2_000) { seed, random in
            let purses = (0...random.next(through: 3)).map { _ in Purse(Int(random.next(through: 4))) }
            let chain = purses.reduce(BudgetChain.none) { $0.adding($1) }
            var made = 0
            for _ in 0..<8 {
                if random.next(through: 3) == 0, made > 0 {
                    chain.restore()
                    made -= 1
                } else {
                    let before = purses.map(\.remaining), paid = chain.withdraw(at: at(0))
                    #expect(paid == before.allSatisfy { $0 > 0 }, "seed \(seed)")
                    #expect(purses.map(\.remaining) == before.map { $0 - (paid ? 1 : 0) }, "seed \(seed)")
                    made += paid ? 1 : 0
                }
            }
        }
    }

    @Test("an allowance is exact under threads")
    func threads() async {
        let allowance = Allowance(1_000), chain = BudgetChain.none.adding(allowance)
        let made = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    var made = 0
                    for step in 0..<1_000 {
                        if step % 3 == worker % 3, let loan = chain.lend(atMost: 3) {
                            let spent = min(1, loan.attempts)
                            loan.settle(spentHeader: "\(spent)")
                            made += spent
                        } else if chain.withdraw(at: at(0)) {
                            if step % 2 == 0 { chain.restore() } else { made += 1 }
                        }
                    }
                    return made
                }
            }
            return await group.reduce(0, +)
        }
        #expect(made + allowance.remaining == 1_000 && allowance.spent == made)
    }

    @Test("a tree of services that all retry as often as they may: never more than 1 + allowance attempts")
    func tree() {
        forSeeds(3_000) { seed, random in
            let allowance = Int(random.next(through: 12))
            var attempts = 0
            /// One attempt at a service, which asks others with what it is lent; returns the headers of its answer.
            func serve(_ headers: [(name: String, value: String)], _ depth: Int) -> [(name: String, value: String)] {
                attempts += depth == 0 ? 1 : 0
                let context = CallContext(headers: { name in headers.first { $0.name == name }?.value }, at: at(0))
                if depth > 0 {
                    repeat {
                        let loan = context.budgets.lend(
                            atMost: Int(random.next(through: 6)), share: Double(random.next(through: 4)) / 4)
                        let answer = serve(context.headers(at: at(0), loan: loan), depth - 1)
                        // Now and then the answer is lost.
                        let isLost = random.next(through: 4) == 0
                        loan?.settle(spentHeader: isLost ? nil : answer.first?.value)
                    } while random.next(through: 9) > 0 && context.budgets.withdraw(at: at(0))
                }
                return context.answerHeaders()
            }
            let spent = serve([("x-spillway-allowance", "\(allowance)")], Int(random.next(through: 4)))
            #expect(attempts <= 1 + allowance, "seed \(seed)")
            #expect(
                Int(spent.first?.value ?? "").map { $0 >= attempts - 1 && $0 <= allowance } ?? false, "seed \(seed)")
        }
    }
}
