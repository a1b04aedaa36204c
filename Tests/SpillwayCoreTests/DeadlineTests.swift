import SpillwayCore
import SpillwayTesting
import Testing

@Suite(.timeLimit(.minutes(10))) struct DeadlineTests {
    private let time = ManualTime()

    @Test("what cannot be meant is refused")
    func validation() throws {
        #expect(try Deadline(.seconds(30)).minimum == .zero)
        #expect(try Deadline(.seconds(30), cooperative: true).isCooperative)
        #expect(throws: ConfigurationError.self) { try Deadline(.microseconds(999)) }
        #expect(throws: ConfigurationError.self) { try Deadline(.seconds(1), atLeast: .seconds(-1)) }
        #expect(throws: ConfigurationError.self) { try Deadline(.seconds(1), atLeast: .milliseconds(1_001)) }
        #expect(try Deadline(.seconds(1), atLeast: .seconds(1)).minimum == .seconds(1))
    }

    @Test("a value or an error that comes in time comes out", arguments: [false, true])
    func inTime(cooperative: Bool) async throws {
        let deadline = try Deadline(.seconds(30), cooperative: cooperative), time = time
        #expect(try await deadline.run(time: time) { $0.remaining } == .seconds(30))
        let failed = await ending { () throws(PolicyError<Trouble>) -> Int in
            try await deadline.run(time: time) { _ throws(Trouble) in throw Trouble() }
        }
        #expect(failed == .failed(Trouble()))
    }

    @Test("an operation that hangs is cancelled on time, in every order", arguments: [1, 30, 86_400])
    func exact(seconds: Int) async throws {
        let deadline = try Deadline(.seconds(seconds))
        try await Simulation.check(seeds: 0..<200) { simulation in
            let time = simulation.time, began = time.now
            let ended = await ending { () throws(PolicyError<Trouble>) -> Bool in
                try await deadline.run(time: time) { _ throws(Trouble) in
                    try await time.hang()
                    return true
                }
            }
            try #require(ended == .timedOut(.deadline, last: Trouble(text: "cancelled")))
            let took = began.duration(to: time.now)
            try #require(took >= .seconds(seconds) && took <= .seconds(seconds) + .milliseconds(50), "\(took)")
        }
    }

    @Test("a value that comes after the deadline is too late, unless the deadline is cooperative")
    func late() async throws {
        let strict = try Deadline(.seconds(30)), cooperative = try Deadline(.seconds(30), cooperative: true)
        let time = time
        let operation: @Sendable (Attempt) async throws(Trouble) -> Int = { _ in
            time.advance(by: .seconds(30))
            return 5
        }
        let first = await ending { () throws(PolicyError<Trouble>) in try await strict.run(time: time, operation) }
        #expect(first == .timedOut(.deadline, last: nil))
        let second = await ending { () throws(PolicyError<Trouble>) in try await cooperative.run(time: time, operation)
        }
        #expect(second == .value(5))
    }

    @Test("what has too little time is not begun", arguments: [false, true])
    func doomed(cooperative: Bool) async throws {
        let deadline = try Deadline(.seconds(30), atLeast: .seconds(10), cooperative: cooperative)
        let time = time, begun = Shared(0)
        for (left, begins) in [(0.0, false), (9.999, false), (10, true), (40, true)] {
            let context = CallContext(deadline: time.now.advanced(by: .seconds(left)))
            let ended = await CallContext.$current.withValue(context) {
                await ending { () throws(PolicyError<Trouble>) in
                    try await deadline.run(time: time) { attempt throws(Trouble) in
                        begun.change { $0 += 1 }
                        return attempt.remaining
                    }
                }
            }
            #expect(ended == (begins ? .value(.seconds(min(left, 30))) : .timedOut(.deadline, last: nil)))
        }
        #expect(begun.value == 2)
    }

    @Test("the earliest deadline counts, what is called is told of it, and budgets stay", arguments: [false, true])
    func inherited(cooperative: Bool) async throws {
        let time = time, budget = Purse(1)
        let deadline = try Deadline(.seconds(30), cooperative: cooperative)
        let began = time.now
        for (outer, earliest) in [(10, 10), (30, 30), (99, 30)] {
            let context = CallContext(
                deadline: began.advanced(by: .seconds(outer)), budgets: BudgetChain.none.adding(budget))
            try await CallContext.$current.withValue(context) {
                let (seen, told, paysFor) = try await deadline.run(time: time) { attempt in
                    (attempt.deadline, CallContext.current?.deadline, BudgetChain.current.contains(budget))
                }
                #expect(seen == began.advanced(by: .seconds(earliest)) && told == seen && paysFor)
            }
        }
        try await deadline.run(time: time) { _ in
            #expect(CallContext.current?.deadline == began.advanced(by: .seconds(30)))
        }
        #expect(CallContext.current == nil)
    }

    @Test("a caller that is cancelled, at any of its awaits, cancels the operation, and the operation says how it ends")
    func cancellation() async throws {
        let deadline = try Deadline(.seconds(5))
        try await Simulation.check(seeds: 0..<200) { simulation in
            let time = simulation.time
            for step in 0..<6 {
                let began = time.now
                let caller = simulation.start("caller", cancelledAtAwait: step) {
                    await ending { () throws(PolicyError<Trouble>) in
                        try await deadline.run(time: time) { _ throws(Trouble) in
                            for _ in 0..<3 { try await time.work(for: .seconds(1)) }
                            return 3
                        }
                    }
                }
                let ended = try await caller.value
                let took = began.duration(to: time.now)
                if ended == .value(3) {
                    try #require(took == .seconds(3))
                } else {
                    try #require(
                        ended == .failed(Trouble(text: "cancelled")) && took <= .seconds(3), "\(ended) \(took)")
                }
                try #require(time.sleepers == 0)
            }
        }
    }

    @Test("deadlines inside of deadlines: the earliest cancels, and every one says so")
    func nested() async throws {
        let outer = try Deadline(.seconds(2)), inner = try Deadline(.seconds(30))
        try await Simulation.check(seeds: 0..<200) { simulation in
            let time = simulation.time, began = time.now
            let inside = Shared<Ending<Bool>?>(nil)
            let ended = await ending { () throws(PolicyError<Trouble>) -> Bool in
                try await outer.run(time: time) { _ throws(Trouble) in
                    let ended = await ending { () throws(PolicyError<Trouble>) -> Bool in
                        try await inner.run(time: time) { _ throws(Trouble) in
                            try await time.hang()
                            return true
                        }
                    }
                    inside.change { $0 = ended }
                    throw Trouble()
                }
            }
            try #require(ended == .timedOut(.deadline, last: Trouble()))
            try #require(inside.value == .timedOut(.deadline, last: Trouble(text: "cancelled")))
            try #require(began.duration(to: time.now) == .seconds(2))
        }
    }

    @Test("on the machine's clock, a deadline cancels from the timer's thread")
    func systemTime() async throws {
        let deadline = try Deadline(.milliseconds(1))
        let ended = await ending { () throws(PolicyError<Trouble>) -> Bool in
            try await deadline.run { _ throws(Trouble) in
                try await SystemTime().hang()
                return true
            }
        }
        #expect(ended == .timedOut(.deadline, last: Trouble(text: "cancelled")))
    }
}

/// A budget of some attempts.
final class Purse: AttemptBudget {
    private let left: Shared<Int>

    init(_ attempts: Int) { left = Shared(attempts) }

    var remaining: Int { left.value }
    func deposit(at now: Instant) {}
    func restore() { left.change { $0 += 1 } }
    func withdraw(at now: Instant) -> Bool {
        var paid = false
        left.change { left in
            paid = left > 0
            if paid { left -= 1 }
        }
        return paid
    }
}
