/// What tells a watch that a limit may be due.
enum AttemptAlarm {
    /// The machine's timer, which needs no task.
    case timer(SharedTimer.Handle)
    /// A task that sleeps on another clock.
    case sleeper(Task<Void, Never>)

    func cancel() {
        switch self {
        case .timer(let handle): SharedTimer.process.cancel(handle)
        case .sleeper(let task): task.cancel()
        }
    }
}

/// Which alarm a watch wants to have; decided under its lock, done outside of it.
///
/// Alarms are set and taken back by foreign code where the time is not the machine's. So an alarm may ring before it is noted
/// down, or be outdone by an earlier one while it is being set: it counts only as long as it is the one wanted last.
struct WantedAlarm {
    /// When the alarm is to ring; nil: there is none.
    private(set) var due: Instant?
    /// Which alarm that is, counted over all that were ever wanted.
    private(set) var number: UInt64 = 0
    private var alarm: AttemptAlarm?

    /// An alarm to be set, and one to be taken back.
    struct Order {
        let due: Instant
        let number: UInt64
        let old: AttemptAlarm?
    }

    /// What to do so that an alarm rings by `due`; nil: nothing.
    ///
    /// What is due later than the alarm is found out when that rings.
    mutating func want(_ due: Instant?) -> Order? {
        guard let due, self.due.map({ due < $0 }) ?? true else { return nil }
        let old = drop()
        self.due = due
        return Order(due: due, number: number, old: old)
    }

    /// Notes down an alarm that was set; false when it is not wanted any more.
    mutating func note(_ alarm: AttemptAlarm, for order: Order) -> Bool {
        guard due != nil, number == order.number else { return false }
        self.alarm = alarm
        return true
    }

    /// No alarm is wanted; returns one that is to be taken back.
    mutating func drop() -> AttemptAlarm? {
        due = nil
        number += 1
        return alarm.take()
    }
}
