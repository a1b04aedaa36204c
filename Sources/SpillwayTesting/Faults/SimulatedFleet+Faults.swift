internal import SpillwayCore

extension SimulatedFleet {
    /// Starts a task that plays the script and ends with its last step.
    func play(_ schedule: FaultSchedule, from start: Instant) {
        guard !schedule.steps.isEmpty else { return }
        simulation.start("faults") { [weak self, time = simulation.time] in
            for step in schedule.steps {
                // What happens at one instant happens at once.
                let instant = start.advanced(by: step.at)
                if instant > time.now { try await time.sleep(until: instant) }
                self?.apply(step.change)
            }
        }
    }

    private func apply(_ change: FaultSchedule.Change) {
        switch change {
        case .jump(let jump):
            simulation.note("the clock jumps by \(jump)")
            simulation.time.advance(by: jump)
        case .begins(let number):
            simulation.note("begins: \(script.faults[number])")
            for struck in board.begin(number) { pullLevers(struck) }
        case .ends(let number):
            simulation.note("ends: \(script.faults[number])")
            for struck in board.end(number) { pullLevers(struck) }
        }
    }

    private func pullLevers(_ struck: ActiveFaults.Struck) {
        let (before, after) = (struck.before, struck.after)
        engines[struck.replica].adjust { engine in
            if after.isDown, !before.isDown { _ = engine.fail() }
            if after.isHung, !before.isHung {
                for request in engine.running + engine.waiting { engine.hang(request.id) }
            }
            if after.slowdown != before.slowdown { engine.slowdown = after.slowdown }
            if after.memory != before.memory {
                let left = Int(Double(engine.configuration.kvBlocks) * after.memory)
                engine.limitMemory(toBlocks: after.memory < 1 ? left : nil)
            }
        }
    }
}
