import SpillwayCore
import SpillwayTesting
import Testing

@Suite(.timeLimit(.minutes(10))) struct AttemptWatchTests {
    private func watch(_ time: any TimeSource, seconds: Double = 1) throws -> AttemptWatch {
        AttemptWatch(
            try AttemptTimeout(.seconds(seconds)), deadline: nil, streams: true, time: time, at: time.now)
    }

    @Test("an alarm before the run, or after it, does nothing")
    func outside() async throws {
        let time = ManualTime(), watch = try watch(time)
        time.advance(by: .seconds(5))
        watch.fire()
        #expect(watch.exceeded == nil)
        let early = try self.watch(time)
        let cancelled = await early.run { Task.isCancelled }
        time.advance(by: .seconds(5))
        early.fire()
        #expect(early.exceeded == nil && !cancelled && !Task.isCancelled)
    }

    @Test("a second run, after the first or beside it, is not watched and hangs nobody")
    func twice() async throws {
        let time = ManualTime(), watch = try watch(time)
        let inner = await ChildTask.run {
            await watch.run {
                await watch.run {
                    time.advance(by: .seconds(2))
                    watch.fire()
                    return Task.isCancelled
                }
            }
        }
        #expect(inner && watch.exceeded == .attempt)
        let again = await ChildTask.run { await watch.run { Task.isCancelled } }
        #expect(!again)
    }

    @Test("what an operation reports from elsewhere when its attempt has ended sets no alarm and keeps nothing alive")
    func lateReports() async throws {
        let time = ManualTime()
        weak var weakly: AttemptWatch?
        do {
            var attempt = Attempt(number: 1, call: Call(streams: true), started: time.now)
            let watch = AttemptWatch(
                try AttemptTimeout(firstContent: .seconds(9), stall: .seconds(1)), deadline: nil, streams: true,
                time: time, at: time.now)
            weakly = watch
            attempt.watch = watch
            let told = attempt
            await watch.run { told.received() }
            let first = watch.firstContent
            time.advance(by: .seconds(1))
            told.received()
            #expect(await told.pausing { 1 } == 1)
            #expect(watch.firstContent == first && watch.exceeded == nil)
            #expect(!told.commit())
        }
        while time.sleepers > 0 { await Task.yield() }
        #expect(weakly == nil)
    }

    @Test("on the machine's clock too, a watch is let go of when its attempt ends")
    func retention() async throws {
        weak var weakly: AttemptWatch?
        do {
            let watch = try watch(SystemTime(), seconds: 3_600)
            weakly = watch
            await watch.run { await Task.yield() }
        }
        #expect(weakly == nil)
    }

    @Test("alarms from other threads while attempts end: each task is cancelled before it ends or not at all")
    func threads() async throws {
        let cancelledLate = Shared(0)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<2_000 {
                group.addTask {
                    let time = ManualTime()
                    guard let watch = try? watch(time) else { return }
                    time.advance(by: .seconds(2))
                    async let rings: Void = {
                        for _ in 0..<3 { watch.fire() }
                    }()
                    let met = await ChildTask.run { () -> Bool in
                        await watch.run {
                            for _ in 0..<(number % 3) { await Task.yield() }
                        }
                        let cancelled = Task.isCancelled
                        await Task.yield()
                        return cancelled == Task.isCancelled
                    }
                    await rings
                    if !met { cancelledLate.change { $0 += 1 } }
                }
            }
        }
        #expect(cancelledLate.value == 0)
    }

    @Test("reports from many tasks at once leave one alarm and no task behind")
    func concurrentReports() async throws {
        try await Simulation.check(seeds: 0..<300) { simulation in
            let time = simulation.time
            let timeout = try AttemptTimeout(.seconds(100), stall: .seconds(2), tokensPerSecond: 1)
            let ended = await ending { () throws(PolicyError<Trouble>) -> Bool in
                try await timeout.run(Call(streams: true), time: time) { attempt throws(Trouble) in
                    await withTaskGroup(of: Void.self) { group in
                        for number in 0..<4 {
                            group.addTask {
                                for _ in 0..<5 {
                                    try? await time.sleep(for: .milliseconds(100 * number + 50))
                                    attempt.received(tokens: number)
                                    await attempt.pausing { try? await time.sleep(for: .seconds(number)) }
                                }
                            }
                        }
                    }
                    return true
                }
            }
            try #require(ended == .value(true))
            try #require(time.sleepers == 0)
        }
    }
}
