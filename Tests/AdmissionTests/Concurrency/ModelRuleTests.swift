import Admission
import SpillwayCore
import Testing

@Suite struct ModelRuleTests {
    static let rule = ConcurrencyLimit.Rule.model(firstContent: .seconds(2), tokensPerSecond: 20)

    /// Answers of a second in which tokens come the slower the more calls there are: 20 a second with 50.
    private func measured(_ time: Double) -> Measurements {
        Measurements(firstContent: .milliseconds(200), tokensPerSecond: 1_000 / time)
    }

    /// Seconds that a thousand tokens take with so many calls.
    private let engine: (Int) -> Double = { Double($0) }

    @Test func itFindsWhereTokensComeFastEnough() throws {
        var loop = ClosedLoop(try makeLimit(.adaptive(Self.rule), in: 4...500))
        loop.run(seconds: 6_000, callers: 400, measured: measured, engine)
        // The slowest of a batch take a tenth longer than the mean.
        #expect((40...52).contains(loop.limit.limit), "\(loop.limit.limit)")
        for _ in 0..<10 {
            loop.run(seconds: 600, callers: 400, measured: measured, engine)
            #expect((38...54).contains(loop.limit.limit), "\(loop.limit.limit)")
        }
    }

    /// A slower engine and a good one again: the limit follows both ways and does not stick.
    @Test func itFollowsTheEngine() throws {
        var loop = ClosedLoop(try makeLimit(.adaptive(Self.rule), in: 4...500))
        loop.run(seconds: 6_000, callers: 400, measured: measured, engine)
        loop.run(seconds: 6_000, callers: 400, measured: measured) { Double($0) * 5 }
        #expect((7...11).contains(loop.limit.limit), "\(loop.limit.limit)")
        loop.run(seconds: 6_000, callers: 400, measured: measured, engine)
        #expect((38...54).contains(loop.limit.limit), "\(loop.limit.limit)")
    }

    @Test func itDoesNotGrowWhileItIsNotInUse() throws {
        var loop = ClosedLoop(try makeLimit(.adaptive(Self.rule), in: 4...500, initially: 30))
        loop.run(seconds: 6_000, callers: 10, measured: measured, engine)
        #expect(loop.limit.limit == 30)
    }

    /// A limit far above what is in use is lowered from what is, when that is too much already.
    @Test func whatNobodyHasReachedIsCutOff() throws {
        var loop = ClosedLoop(try makeLimit(.adaptive(Self.rule), in: 4...500, initially: 500))
        loop.run(seconds: 1_000, callers: 80, measured: measured, engine)
        #expect(loop.limit.limit < 80)
    }

    /// Some calls miss their goals whatever the load: the limit is not pinned down by them.
    @Test func callsThatAlwaysMissDoNotPinItDown() throws {
        var loop = ClosedLoop(try makeLimit(.adaptive(Self.rule), in: 4...500))
        var call = 0
        let some: (Double) -> Measurements = { time in
            call += 1
            let wait = call % 8 == 0 ? 9.0 : 0.2
            return Measurements(firstContent: .seconds(wait), tokensPerSecond: 1_000 / time)
        }
        for _ in 0..<20 { loop.run(seconds: 3_000, callers: 400, measured: some, engine) }
        #expect((12...54).contains(loop.limit.limit), "\(loop.limit.limit)")
    }

    /// Answers that do not stream: by the round trip when it is known how long they are, else not at all.
    @Test func answersThatDoNotStream() throws {
        let whole: (Double) -> Measurements = { _ in Measurements(usage: Usage(input: 100, output: 1_000)) }
        var loop = ClosedLoop(try makeLimit(.adaptive(Self.rule), in: 4...500))
        loop.run(seconds: 6_000, callers: 400, measured: whole, engine)
        // Two seconds and a thousand tokens at 20 a second: 52 seconds.
        #expect((40...54).contains(loop.limit.limit), "\(loop.limit.limit)")
        var blind = ClosedLoop(try makeLimit(.adaptive(Self.rule), in: 4...500))
        blind.run(seconds: 6_000, callers: 400, engine)
        #expect(blind.limit.limit == 20)
    }

    @Test func callsThatFindNoCapacityBringItDown() throws {
        let limit = try makeLimit(.adaptive(Self.rule), in: 4...500, initially: 60)
        for permit in limit.fill(at: at(1)) { permit.settle(.failure(.overloaded), at: at(4)) }
        #expect(limit.limit < 60)
    }

    /// Those who fill new places come all at once; what they meet says nothing.
    @Test func theFirstAfterAGrowthDoNotCount() throws {
        let limit = try makeLimit(.adaptive(Self.rule), in: 4...500, initially: 60)
        let late = Measurements(firstContent: .seconds(5), tokensPerSecond: 90)
        for permit in limit.fill(at: at(1)) { permit.settle(.success, late, at: at(9)) }
        #expect(limit.limit == 60, "the first call of all begins the time")
        for permit in limit.fill(at: at(10)) { permit.settle(.success, late, at: at(19)) }
        #expect(limit.limit < 60)
    }
}
