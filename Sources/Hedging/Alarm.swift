internal import SpillwayCore

extension Board: Timed {
    func fire() { ring() }
}

/// Wakes the caller of a race at a time that may change.
struct Alarm {
    private enum Clock {
        case timer(SharedTimer.Handle)
        case sleeper(Task<Void, Never>)
    }

    private var until: Instant?
    private var clock: Clock?

    /// Sets the alarm; nil: none.
    ///
    /// The machine's timer rings without a task of its own, which would cost more than all the rest of a call.
    mutating func set(_ until: Instant?, _ board: Board) {
        guard until != self.until else { return }
        cancel()
        guard let until else { return }
        self.until = until
        if board.time is SystemTime {
            clock = SharedTimer.process.set(board, at: until).map(Clock.timer)
            if clock == nil { board.ring() }
        } else {
            clock = .sleeper(
                ChildTask.start(on: TaskExecutorPreference.current) {
                    if (try? await board.time.sleep(until: until)) != nil { board.ring() }
                })
        }
    }

    mutating func cancel() {
        switch clock {
        case .timer(let handle): SharedTimer.process.cancel(handle)
        case .sleeper(let task): task.cancel()
        case nil: break
        }
        clock = nil
        until = nil
    }
}
