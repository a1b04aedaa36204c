import GPUClient
import SpillwayCore
import Testing

@Suite("Pace of scrapes")
struct ScrapePaceTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000) }

    private func made(_ change: (inout ScrapePace.Configuration) -> Void = { _ in }) throws -> ScrapePace {
        try ScrapePace(
            .init {
                $0.jitter = 0
                change(&$0)
            }, at: at(-1_000), random: .seeded(1))
    }

    /// The number of the scrape that is due.
    private func scrape(_ pace: inout ScrapePace, at now: Instant) throws -> UInt64 {
        let step = pace.next(at: now)
        guard case .scrape(let number) = step else {
            Issue.record("\(step) at \(now)")
            throw CancellationError()
        }
        return number
    }

    private func expectWait(_ pace: inout ScrapePace, at now: Instant, until: Instant, line: Int = #line) {
        let step = pace.next(at: now)
        #expect(step == .wait(until: until), "line \(line)")
    }

    @Test("well: a rest between each answer and the next scrape, and one at a time")
    func steady() throws {
        var pace = try made()
        let first = try scrape(&pace, at: at(0))
        expectWait(&pace, at: at(10), until: at(1_000))
        let counts = pace.answered(first, at: at(100))
        #expect(counts && pace.condition == .steady)
        expectWait(&pace, at: at(100), until: at(1_100))
        expectWait(&pace, at: at(1_099), until: at(1_100))
        let second = try scrape(&pace, at: at(1_100))
        #expect(second != first)
    }

    @Test("slow answers and failures double the rest to a limit, good ones halve it again")
    func backingOff() throws {
        var pace = try made { $0.longest = .seconds(10) }
        var now = at(0)
        for (turn, rest) in ([2, 4, 8, 10, 10] as [Int64]).enumerated() {
            let number = try scrape(&pace, at: now)
            now = now.advanced(by: .milliseconds(251))
            let counts = turn % 2 == 0 ? pace.answered(number, at: now) : pace.failed(number, at: now)
            #expect(counts && pace.condition == .backedOff && pace.rest == .seconds(rest))
            now = now.advanced(by: .seconds(rest))
        }
        for rest in [5, 2.5, 1.25, 1, 1] {
            let number = try scrape(&pace, at: now)
            now = now.advanced(by: .milliseconds(250))
            pace.answered(number, at: now)
            #expect(pace.rest == .seconds(rest) && pace.condition == (rest == 1 ? .steady : .backedOff))
            now = now.advanced(by: .seconds(rest))
        }
    }

    @Test("a replica that answers nothing is left alone but for a slow probe, and comes back slowly")
    func wedged() throws {
        var pace = try made()
        var now = at(0)
        for rest in [2, 4] as [Int64] {
            _ = try scrape(&pace, at: now)
            now = now.advanced(by: .seconds(1))
            expectWait(&pace, at: now, until: now.advanced(by: .seconds(rest)))
            #expect(pace.condition == .backedOff)
            now = now.advanced(by: .seconds(rest))
        }
        for _ in 0..<5 {
            _ = try scrape(&pace, at: now)
            now = now.advanced(by: .seconds(1))
            expectWait(&pace, at: now, until: now.advanced(by: .seconds(60)))
            #expect(pace.condition == .wedged && pace.rest == .seconds(60))
            now = now.advanced(by: .seconds(60))
        }
        // It refuses: that is no answer yet.
        let refused = try scrape(&pace, at: now)
        pace.failed(refused, at: now)
        #expect(pace.condition == .wedged)
        now = now.advanced(by: .seconds(60))
        let number = try scrape(&pace, at: now)
        pace.answered(number, at: now)
        #expect(pace.condition == .backedOff && pace.rest == .seconds(30))
        // One more timeout is not three in a row.
        now = now.advanced(by: .seconds(30))
        _ = try scrape(&pace, at: now)
        expectWait(&pace, at: now.advanced(by: .seconds(1)), until: now.advanced(by: .seconds(31)))
        #expect(pace.condition == .backedOff)
    }

    @Test("a failure ends a row of timeouts")
    func row() throws {
        var pace = try made { $0.wedgedAfter = 2 }
        var now = at(0)
        for turn in 0..<8 {
            let number = try scrape(&pace, at: now)
            now = now.advanced(by: turn % 2 == 0 ? .seconds(1) : .milliseconds(1))
            if turn % 2 == 1 { pace.failed(number, at: now) }
            guard case .wait(let until) = pace.next(at: now) else {
                Issue.record("no rest")
                return
            }
            #expect(pace.condition == .backedOff)
            now = until
        }
    }

    @Test("answers that come late, twice or to nothing are ignored")
    func late() throws {
        var pace = try made()
        let early = pace.answered(0, at: at(0))
        #expect(!early)
        let first = try scrape(&pace, at: at(0))
        // The timeout is seen by the answer itself.
        let tooLate = pace.answered(first, at: at(1_000))
        #expect(!tooLate && pace.rest == .seconds(2))
        let second = try scrape(&pace, at: at(3_000))
        let old = pace.answered(first, at: at(3_001)), oldFailure = pace.failed(first, at: at(3_001))
        #expect(!old && !oldFailure)
        expectWait(&pace, at: at(3_001), until: at(4_000))
        let good = pace.answered(second, at: at(3_002)), again = pace.answered(second, at: at(3_003))
        #expect(good && !again && pace.rest == .seconds(1))
        expectWait(&pace, at: at(3_003), until: at(4_002))
    }

    @Test("clients that begin together scrape apart")
    func spread() throws {
        let random = RandomSource.seeded(7)
        var starts = [Int](repeating: 0, count: 10), seconds = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 {
            var pace = try ScrapePace(.init(), at: .zero, random: random)
            guard case .wait(let first) = pace.next(at: Instant(nanoseconds: -1)) else {
                Issue.record("at once")
                return
            }
            starts[min(9, Int(first.nanoseconds / 100_000_000))] += 1
            let number = try scrape(&pace, at: first)
            pace.answered(number, at: first)
            guard case .wait(let second) = pace.next(at: first) else {
                Issue.record("no rest")
                return
            }
            let rest = second.nanoseconds - first.nanoseconds
            #expect((900_000_000...1_100_000_000).contains(rest))
            seconds[min(9, Int((rest - 900_000_000) / 20_000_000))] += 1
        }
        #expect(starts.allSatisfy { (800...1_200).contains($0) } && seconds.allSatisfy { (800...1_200).contains($0) })
    }

    @Test("a clock that goes back keeps nothing waiting for long")
    func clock() throws {
        var pace = try made()
        _ = try scrape(&pace, at: at(1_000_000))
        // Under way, then at rest.
        expectWait(&pace, at: at(0), until: at(1_000))
        expectWait(&pace, at: at(1_000), until: at(3_000))
        expectWait(&pace, at: at(-900_000), until: at(-897_000))
        // Nothing overflows at the ends.
        _ = pace.next(at: .distantFuture)
        _ = pace.next(at: Instant(nanoseconds: .min))
    }

    @Test("a configuration that cannot work is refused by its name, and the old one stays")
    func configuration() throws {
        func field(_ change: (inout ScrapePace.Configuration) -> Void) throws -> String? {
            var pace = try made()
            do throws(ConfigurationError) { try pace.update(.init(change)) } catch {
                #expect(pace.rest == .seconds(1))
                return error.field
            }
            return nil
        }
        for bad in [Duration.zero, .milliseconds(9), .seconds(3_601), .seconds(-1)] {
            #expect(try field { $0.interval = bad } == "interval")
        }
        for bad in [-0.1, 0.51, .nan] { #expect(try field { $0.jitter = bad } == "jitter") }
        for bad in [0, 1.1, -.infinity, .nan] { #expect(try field { $0.slowShare = bad } == "slowShare") }
        for bad in [Duration.zero, .seconds(3_601)] { #expect(try field { $0.timeout = bad } == "timeout") }
        for bad in [Duration.milliseconds(999), .seconds(3_601)] {
            #expect(try field { $0.longest = bad } == "longest")
        }
        for bad in [0, 1_001, -1] { #expect(try field { $0.wedgedAfter = bad } == "wedgedAfter") }
        for bad in [Duration.seconds(29), .seconds(86_401)] {
            #expect(try field { $0.probeInterval = bad } == "probeInterval")
        }
        #expect(throws: ConfigurationError.self) { try ScrapePace(.init { $0.interval = .zero }, at: .zero) }
        var pace = try made()
        try pace.update(.init { $0.interval = .milliseconds(200) })
        #expect(pace.rest == .milliseconds(200))
    }

    @Test("whatever happens: one scrape at a time, never sooner than the rest allows, and never stuck")
    func property() throws {
        for seed in 1...1_000 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            var pace = try ScrapePace(.init(), at: at(0), random: random)
            var now = at(0), ended = now.advanced(by: .seconds(-10)), underWay: (number: UInt64, since: Instant)?
            var timeouts = 0, last: UInt64 = 0
            for _ in 0..<300 {
                let before = pace.rest
                switch pace.next(at: now) {
                case .scrape(let number):
                    #expect(underWay == nil || now >= underWay!.since.advanced(by: .seconds(1)), "seed \(seed)")
                    #expect(number > last && ended.duration(to: now) >= .milliseconds(899), "seed \(seed)")
                    #expect(before >= .seconds(1) && (timeouts < 3 || before == .seconds(60)), "seed \(seed)")
                    (underWay, last) = ((number, now), number)
                case .wait(let until):
                    #expect(until > now && now.duration(to: until) <= .seconds(66), "seed \(seed)")
                    if let call = underWay, now >= call.since.advanced(by: .seconds(1)) {
                        (underWay, ended) = (nil, now)
                        timeouts += 1
                        #expect(pace.condition == (timeouts >= 3 ? .wedged : .backedOff), "seed \(seed)")
                    }
                    now = until
                }
                guard let call = underWay, now == call.since, seed % 4 != 0 || Bool.random(using: &random) else {
                    continue
                }
                let taken = Int64.random(in: 0...1_300, using: &random)
                now = now.advanced(by: .milliseconds(taken))
                let isGood = Bool.random(using: &random)
                let wasWedged = pace.condition == .wedged
                let counts = isGood ? pace.answered(call.number, at: now) : pace.failed(call.number, at: now)
                #expect(counts == (taken < 1_000), "seed \(seed)")
                timeouts = counts ? 0 : timeouts + 1
                (underWay, ended) = (nil, now)
                if counts && wasWedged {
                    #expect(pace.condition == (isGood ? .backedOff : .wedged), "seed \(seed)")
                    if !isGood { break }
                }
            }
        }
    }
}
