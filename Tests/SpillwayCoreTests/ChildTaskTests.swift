import SpillwayCore
import SpillwayTesting
import Testing

@Suite(.timeLimit(.minutes(10))) struct ChildTaskTests {
    private enum Values {
        @TaskLocal static var name = "none"
    }

    @Test("the child ends before its caller goes on, with a value of any kind")
    func value() async {
        let text = Shared("")
        let value = await ChildTask.run {
            for _ in 0..<100 { await Task.yield() }
            text.change { $0 = "ended" }
            return [text.value, "and told"]
        }
        #expect(value == ["ended", "and told"])
        #expect(await ChildTask.run { 7 } == 7)
    }

    @Test("what the caller lends lives as long as the child and no longer")
    func lending() async {
        final class Lent: Sendable {}
        weak var weakly: Lent?
        do {
            let lent = Lent()
            weakly = lent
            let same = await ChildTask.run {
                await Task.yield()
                return lent
            }
            #expect(same === lent)
        }
        #expect(weakly == nil)
    }

    @Test("the child has the caller's task-local values and priority, and is a task of its own")
    func inheritance() async {
        let names = await Values.$name.withValue("mine") {
            await ChildTask.run {
                let first = Values.name
                await Task.yield()
                return [first, Values.name]
            }
        }
        #expect(names == ["mine", "mine"])
        let caller = Task { Task.currentPriority == (await ChildTask.run { Task.currentPriority }) }
        #expect(await caller.value)
        let cancelled = await ChildTask.run {
            withUnsafeCurrentTask { $0?.cancel() }
            return Task.isCancelled
        }
        #expect(cancelled && !Task.isCancelled)
    }

    @Test("a child of a cancelled caller is cancelled from the start")
    func cancelledBefore() async {
        let child = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await ChildTask.run { Task.isCancelled }
        }
        #expect(await child.value)
    }

    @Test("cancelling the caller, at any of its awaits, cancels the child; in every order")
    func cancelledAtEachAwait() async throws {
        try await Simulation.check(seeds: 0..<300) { simulation in
            let time = simulation.time
            for step in 0..<8 {
                let began = time.now
                let caller = simulation.start("caller", cancelledAtAwait: step) {
                    await ChildTask.run { () -> Int in
                        var steps = 0
                        for _ in 0..<3 {
                            try? await time.sleep(for: .seconds(1))
                            if !Task.isCancelled { steps += 1 }
                        }
                        return steps
                    }
                }
                let steps = try await caller.value
                let took = began.duration(to: time.now)
                // A wait that was over is over; from the cancellation on there are no others.
                try #require(took <= .seconds(steps + 1) && took >= .seconds(steps), "\(step): \(steps) in \(took)")
            }
        }
    }

    private func watch(_ time: any TimeSource = SystemTime()) -> AttemptWatch {
        AttemptWatch(nil, deadline: nil, streams: false, time: time, at: time.now)
    }

    @Test("a child under a watch is cancelled with its caller at any of its awaits, and told what its caller says")
    func underWatch() async throws {
        try await Simulation.check(seeds: 0..<300) { simulation in
            let time = simulation.time
            for step in 0..<8 {
                let began = time.now, watch = watch(time)
                let caller = simulation.start("caller", cancelledAtAwait: step) {
                    await ChildTask.run(telling: CallContext(deadline: .distantFuture), under: watch) {
                        await watch.run {
                            var steps = 0
                            for _ in 0..<3 {
                                try? await time.sleep(for: .seconds(1))
                                if !Task.isCancelled { steps += 1 }
                            }
                            return CallContext.current?.deadline == .distantFuture ? steps : -1
                        }
                    }
                }
                let steps = try await caller.value
                let took = began.duration(to: time.now)
                try #require(took <= .seconds(steps + 1) && took >= .seconds(steps), "\(step): \(steps) in \(took)")
            }
        }
    }

    @Test("a child that never suspends sees that its caller is cancelled", arguments: [true, false])
    func polling(before: Bool) async {
        let begun = Shared(false), watch = watch()
        let caller = Task {
            if before { withUnsafeCurrentTask { $0?.cancel() } }
            return await ChildTask.run(under: watch) {
                await watch.run {
                    begun.change { $0 = true }
                    while !Task.isCancelled {}
                    return true
                }
            }
        }
        while !begun.value { await Task.yield() }
        caller.cancel()
        #expect(await caller.value)
    }

    @Test("a cancellation and the end of a child, on two threads: neither hangs, and none comes late")
    func cancelledAtItsEnd() async {
        for number in 0..<1_000 {
            let watch = watch()
            let caller = Task {
                await ChildTask.run(under: watch) {
                    await watch.run { for _ in 0..<(number % 5) { await Task.yield() } }
                    // Over: whatever else its task does is not cancelled any more.
                    let cancelled = Task.isCancelled
                    await Task.yield()
                    return cancelled == Task.isCancelled
                }
            }
            for _ in 0..<(number % 7) { await Task.yield() }
            caller.cancel()
            #expect(await caller.value)
        }
    }

    @Test("the child runs where its caller does")
    func executor() throws {
        let simulation = Simulation(seed: 1)
        let ran = try simulation.run {
            await ChildTask.run {
                await Task.yield()
                try? await simulation.time.sleep(for: .seconds(1))
                return true
            }
        }
        #expect(ran)
    }

    @Test("a task that was started runs at once, and can be cancelled by itself")
    func start() async {
        let task = ChildTask.start(on: nil) { () -> Bool in
            try? await SystemTime().sleep(until: .distantFuture)
            return Task.isCancelled
        }
        task.cancel()
        #expect(await task.value)
    }
}
