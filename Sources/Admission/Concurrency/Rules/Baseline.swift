/// How long a call takes without load, as far as that can be known, in seconds.
///
/// A baseline that follows whatever it sees takes a lasting overload for normal, and the limit climbs. One that only falls
/// pins the limit down for ever once the target has become slower for reasons of its own. This one remembers at how many
/// calls in flight it was learnt: with no more of them than that, a longer time is not the load's doing, and is believed.
/// A limit that stays low because it believes in a queue goes down there now and then, for one window, to see: a probe, as Envoy's
/// gradient controller and BBR have it. While probes find nothing new they become ever rarer.
struct Baseline {
    /// Seconds; 0 as long as nothing is known.
    private(set) var time = 0.0
    /// The calls in flight that it was learnt at.
    private var level = 0.0
    /// Windows since the last probe in which a queue was believed in, and how many of them call for the next.
    private var doubts = 0
    private var patience = 16
    /// During a probe, the limit from before it.
    private var resume: Double?

    /// Takes a window in with weight `share`; `minimum` is the end of the limit's range.
    mutating func learn(_ window: LimitLearner.Window, share: Double, minimum: Double) {
        let peak = Double(window.peak)
        guard time > 0 else {
            (time, level) = (window.mean, peak)
            return
        }
        let isComparable = peak <= max(level, minimum)
        guard window.mean < time || isComparable else { return }
        // One window at most doubles what is believed of it: a jump of the clock is no long call.
        let seen = min(window.mean, 2 * time)
        let weight =
            if window.mean > time {
                // Faster than a long average: every window with too low a limit is capacity that is not used, most of all at the
                // minimum, where there is no way to learn more.
                max(share, peak <= minimum ? 0.5 : 0.05)
            } else {
                // What is far less can be no chance, and the longer it is not believed the higher the limit climbs.
                window.mean * 1.2 < time ? max(share, 0.3) : share
            }
        time += weight * (seen - time)
        level += weight * (peak - level)
    }

    /// Ends a probe, if `window` was one, and says what the limit was before it.
    mutating func endProbe(_ window: LimitLearner.Window, minimum: Double) -> Double? {
        guard let before = resume else { return nil }
        resume = nil
        let known = time
        if window.samples > 0 { learn(window, share: 0.5, minimum: minimum) }
        // Found out something, either way: look again soon.
        patience = abs(time - known) > 0.1 * known ? 4 : min(2 * patience, 1_024)
        return before
    }

    /// The limit for a probe when it is time for one, after a window in which a queue was believed in.
    mutating func probe(from limit: Double, minimum: Double) -> Double? {
        // Half of what it was learnt at, should there have been a queue even there.
        let low = max(minimum, (level / 2).rounded(.down))
        guard low < limit else { return nil }
        doubts += 1
        guard doubts >= patience else { return nil }
        doubts = 0
        resume = limit
        return low
    }

    /// Forgets a part, because present times show that it is far too long.
    mutating func shrink(by factor: Double) { time *= factor }
}
