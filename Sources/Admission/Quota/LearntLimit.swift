internal import CSpillway
internal import SpillwayCore

/// What was learnt of one limit, and how the next reading corrects it.
///
/// The provider's bucket is a bucket too: what it says is left, with what was let in since the request was sent, is what is owed
/// there, and ours is moved towards it. At once where it owes more than we knew, unless that is a quarter of the limit or more and
/// nobody was refused: then half the way, since an odd answer is followed by true ones. By a quarter of the way where it owes
/// less. Never beyond a full bucket, and never for longer than the reset, so that nobody is locked out.
struct LearntLimit {
    private var spans = MiddleOfFive()
    private var sizes = MiddleOfFive()
    private var window = WindowWatch()
    /// Units a second that others use of the same limit, as a part of its rate.
    private var foreign = 0.0
    /// Ticks in which a unit drips in, were nobody else there.
    private var interval: Int64 = 0
    private var isKnown = false
    /// What is kept back of the limit because of refusals, as a part of it; it halves in a minute or sooner.
    private var caution = 0.0
    /// When that was, in nanoseconds.
    private var margined: Int64 = 0

    /// Of how much time the use by others is the mean, in seconds.
    private static let memory = 15.0
    /// The most that one reading moves what others are thought to use, as a part of the rate.
    private static let step = 0.05

    mutating func learn(
        _ reading: ProviderSignals.Reading, _ dimension: Quota.Dimension, _ books: inout QuotaBooks,
        _ settings: Quota.Configuration, sent: Int64, isRefusal: Bool, at now: Int64
    ) {
        let configured = settings[dimension], isNew = !books.isActive(dimension)
        if isNew {
            guard let limit = reading.limit else { return }
            let span = reading.span.map(Self.usual) ?? 60e9
            guard let interval = Self.interval(span, limit) else { return }
            // One reading may be odd: larger calls pass as well, each when nothing is owed.
            books.activate(dimension, interval, Int64(min(limit, Int(UInt32.max))), largest: .max, at: now)
            isKnown = true
        }
        let meter = books.meters + dimension.rawValue
        if interval == 0 { interval = meter.pointee.interval }
        resize(reading, meter, configured, settings.learning)
        guard let remaining = reading.remaining else { return }
        let limit = reading.limit.map(Int64.init) ?? meter.pointee.burst
        let used = max(0, limit - Int64(remaining))
        let charged = books.history.charged(dimension.rawValue, at: sent, now: meter.pointee.charged)
        let since = max(0, meter.pointee.charged - charged)
        let reset = reading.reset?.clampedNanoseconds
        if let reset {
            window.look(
                used: used, of: limit, reset: reset, sent: sent, now: now,
                unit: Double(interval) / Double(SPW_TICKS))
        }
        keepBack(meter, isRefusal && Int64(remaining) * 10 < limit, at: now)
        if window.isFixed {
            // A window that ended has been swept by `advance`, and what is told of it is over.
            guard let reset, sent + reset > now, let end = window.end else { return }
            foreign = 0
            // However far ahead a reset is told, nobody is refused for longer than a filling takes.
            let full = spw_meter_ticks(meter, meter.pointee.burst)
            meter.pointee.window_end = min(spw_bucket_ticks(end), spw_bucket_ticks(now) + full)
            correct(meter, to: spw_meter_ticks(meter, used + since), atOnce: isRefusal || isNew)
        } else {
            meter.pointee.window_end = 0
            var owed = spw_meter_ticks(meter, used)
            if let reset { owed = min(owed, spw_bucket_ticks(reset)) }
            let dripped = spw_bucket_ticks(now - sent)
            let debt = max(0, owed - dripped) + spw_meter_ticks(meter, since)
            if !isNew { notice(debt - spw_meter_debt(meter), meter) }
            correct(meter, to: debt, atOnce: isRefusal || isNew)
        }
    }

    /// Keeps a little of a bucket back, which costs no throughput, against what is on the way and not counted yet.
    ///
    /// More after each refusal. In a fixed window it would cost just that part, so there it is less.
    private mutating func keepBack(_ meter: UnsafeMutablePointer<spw_meter>, _ isRefused: Bool, at now: Int64) {
        // Time may have gone back.
        if margined > 0 { caution /= 1 + Double(max(0, now - margined)) / 60e9 }
        margined = now
        if isRefused { caution = min(caution + 0.01, 0.15) }
        let part = window.isFixed ? 0.005 + caution / 10 : 0.02 + caution
        meter.pointee.margin = Int64(Double(meter.pointee.burst) * part)
    }

    /// Follows the size and the rate that the provider tells of.
    private mutating func resize(
        _ reading: ProviderSignals.Reading, _ meter: UnsafeMutablePointer<spw_meter>, _ configured: Quota.Limit?,
        _ learning: Quota.Learning
    ) {
        if let limit = reading.limit { sizes.add(Double(min(limit, Int(UInt32.max)))) }
        if !window.isFixed, let span = reading.span, let limit = reading.limit,
            // With little of it used, the steps in which a reset is told are too coarse.
            limit - (reading.remaining ?? limit) >= max(1, limit / 50)
        {
            spans.add(Self.usual(span))
        }
        // What is configured is believed until three answers say otherwise.
        let enough = isKnown ? 1 : 3
        var size = Double(meter.pointee.burst)
        if sizes.count >= enough, let middle = sizes.middle { size = middle }
        let span = spans.count >= enough ? spans.middle : nil
        if let span, let new = Self.interval(span, Int(size)) {
            interval = new
        } else if size != Double(meter.pointee.burst), span == nil {
            // More of it in the same time.
            interval = Self.interval(Double(interval) / 16 * Double(meter.pointee.burst), Int(size)) ?? interval
        }
        if learning == .withinConfigured, let configured {
            size = min(size, Double(configured.size))
            interval = max(interval, (try? configured.rate.interval(burst: configured.size, "Quota")) ?? interval)
        }
        put(Int64(size), meter)
    }

    private func put(_ size: Int64, _ meter: UnsafeMutablePointer<spw_meter>) {
        // A filling takes at most 2⁶¹ ticks. By floating point: what a provider tells may differ by more than fits.
        let slowest = Double((Int64(1) << 61) / max(1, size))
        let slower = min((Double(interval) / (1 - foreign)).rounded(.up), slowest)
        let old = Double(meter.pointee.interval)
        // Small moves are not worth the work.
        let isNear = abs(slower - old) * 200 < old
        if isNear, size == meter.pointee.burst { return }
        spw_meter_update(meter, isNear ? meter.pointee.interval : Int64(slower), max(1, size))
    }

    /// Learns from an error of so many ticks how much others use.
    private mutating func notice(_ error: Int64, _ meter: UnsafeMutablePointer<spw_meter>) {
        let part = Double(error) / (Double(SPW_TICKS) * 1e9) / Self.memory
        foreign = min(max(0, foreign + min(max(part, -Self.step), Self.step)), 0.9)
        put(meter.pointee.burst, meter)
    }

    private func correct(_ meter: UnsafeMutablePointer<spw_meter>, to told: Int64, atOnce: Bool) {
        let debt = spw_meter_debt(meter), full = spw_meter_ticks(meter, meter.pointee.burst)
        let error = told - debt
        if error > 0 {
            let all = atOnce || error < full / 4
            spw_meter_set_debt(meter, max(debt, min(full, debt + (all ? error : error / 2))))
        } else if error < 0 {
            // Not below what calls under way hold: some providers count them when they end.
            let held = min(debt, spw_meter_ticks(meter, meter.pointee.held))
            spw_meter_set_debt(meter, max(held, debt + error / 4))
        }
    }

    /// Ticks a unit; nil: faster or slower than can be counted.
    private static func interval(_ span: Double, _ limit: Int) -> Int64? {
        guard limit > 0 else { return nil }
        let rate = Rate(Double(limit), per: .nanoseconds(Int64(min(span, 3e17))))
        return try? rate.interval(burst: UInt32(min(limit, Int(UInt32.max))), "Quota")
    }

    /// Limits are set for a second, a minute, an hour or a day: a span that is within a twentieth of one of these is it.
    private static func usual(_ span: Double) -> Double {
        for usual in [1e9, 60e9, 3_600e9, 86_400e9] where abs(span - usual) <= usual / 20 { return usual }
        return span
    }
}
