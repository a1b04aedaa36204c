/// Finds out whether a provider counts in fixed windows, at whose end all comes back at once, or lets units drip in.
///
/// Where they drip, every unit that is used moves the time at which the limit is full again; in a window that time stays what it is
/// while more is used. So the watch waits until so much more is used that the time would have moved by more than anybody can err.
struct WindowWatch {
    private(set) var isFixed = false
    /// Where the moment lies at which it is full again, by all readings since the anchor.
    private var moment: (early: Int64, late: Int64)?
    /// What was used at the anchor.
    private var anchor: Int64 = 0
    private var evidence = 0

    /// How far two tellings of one moment may lie apart: resets are told in whole seconds.
    private static let grain: Int64 = 1_100_000_000

    /// When the window ends, at the latest that it can be; nil: not known.
    var end: Int64? { moment?.late }

    /// Looks at one reading.
    ///
    /// - Parameters:
    ///   - used: What was used when the provider looked.
    ///   - limit: The most that can be.
    ///   - reset: Nanoseconds after which all is back.
    ///   - sent: When the request was sent: the provider looked after that.
    ///   - now: When the answer came: the provider looked before that.
    ///   - unit: Nanoseconds in which one unit drips in, if they do.
    mutating func look(used: Int64, of limit: Int64, reset: Int64, sent: Int64, now: Int64, unit: Double) {
        let early = sent + reset, late = now + reset
        guard let known = moment else {
            (moment, anchor) = ((early, late), used)
            return
        }
        if early > known.late + Self.grain || late < known.early - Self.grain {
            // Another moment. By half of it at once: the next window. Else each use moves it.
            let isNext = Double(early - known.late) > unit * Double(limit) / 2
            if !isNext, used >= anchor { weigh(-1) }
            (moment, anchor) = ((early, late), used)
            return
        }
        moment = (max(known.early, early), min(known.late, late))
        // What is given back hides what was used.
        anchor = min(anchor, used)
        if Double(used - anchor) * unit > Double(2 * (late - early) + 2 * Self.grain) {
            weigh(1)
            anchor = used
        }
    }

    private mutating func weigh(_ sign: Int) {
        evidence = min(max(evidence + sign, -2), 2)
        if evidence == 2 { isFixed = true }
        if evidence < 0 { isFixed = false }
    }
}
