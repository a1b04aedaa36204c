internal import CSpillway
internal import SpillwayCore

/// Corrects the limits of a quota by what answers say.
struct QuotaLearner {
    /// Fields that could not be read.
    private(set) var unreadable = 0
    /// Answers that were older than one that had been heard.
    private(set) var outdated = 0
    /// When the request was sent whose answer was heard last.
    private var newest = Int64.min
    /// How many readings in a row were of a limit of the day, by the dimension of the minute.
    private var hints = [Int](repeating: 0, count: QuotaBooks.meterCount)
    private var limits = [LearntLimit](repeating: LearntLimit(), count: QuotaBooks.meterCount)

    /// The longest for which a quota of the day counts as used up: a day.
    private static let day: Int64 = 86_400_000_000_000

    mutating func forget(_ dimension: Quota.Dimension) { limits[dimension.rawValue] = LearntLimit() }

    mutating func learn(
        _ signals: ProviderSignals, _ books: inout QuotaBooks, _ settings: Quota.Configuration, sent: Int64?,
        at now: Int64
    ) {
        unreadable += signals.unreadable
        books.advance(now)
        obey(signals, &books, settings, at: now)
        // A bad request may have been refused before anybody counted it, and what has no capacity counts nothing.
        guard settings.learning != .refusals, signals.kind != .request, signals.kind != .capacity else { return }
        let sent = min(sent ?? now, now)
        // Time has gone back, by more than two threads can differ: what was heard before says nothing of now.
        if newest > now, newest - now > 1_000_000_000 { newest = sent }
        guard sent >= newest else {
            outdated += 1
            return
        }
        newest = sent
        let isRefusal = signals.kind == .quotaPerMinute
        for (reading, minute, day) in [
            (signals.requests, Quota.Dimension.requests, Quota.Dimension.requestsPerDay),
            (signals.tokens, .tokens, .tokensPerDay), (signals.inputTokens, .inputTokens, nil),
            (signals.outputTokens, .outputTokens, nil),
        ] as [(ProviderSignals.Reading?, Quota.Dimension, Quota.Dimension?)] {
            guard let reading else { continue }
            let dimension = reading.isOfDay ? day ?? minute : minute
            // A limit of the day that nobody knew of locks out for long, so one odd answer does not make one.
            hints[minute.rawValue] = dimension == minute ? 0 : min(hints[minute.rawValue] + 1, 3)
            if dimension != minute, !books.isActive(dimension), hints[minute.rawValue] < 3 { continue }
            limits[dimension.rawValue].learn(
                reading, dimension, &books, settings, sent: sent, isRefusal: isRefusal, at: now)
        }
    }

    /// What the answer asks for: a pause, no more for today, or never again with this key.
    private func obey(
        _ signals: ProviderSignals, _ books: inout QuotaBooks, _ settings: Quota.Configuration, at now: Int64
    ) {
        let longest = settings.longestPause.clampedNanoseconds
        let asked = signals.retryAfter?.clampedNanoseconds
        switch signals.kind {
        case .quotaPerMinute:
            if let asked {
                books.pausedUntil = max(books.pausedUntil, now + min(asked, longest))
            } else if !signals.saysWhatIsLeft {
                books.fillFullest(at: now)
            }
        case .quotaPerDay:
            // What is used up may say when it comes back.
            let readings = [signals.requests, signals.tokens, signals.inputTokens, signals.outputTokens]
            let reset = readings.compactMap { $0?.remaining == 0 ? $0?.reset?.clampedNanoseconds : nil }.max()
            let told = [asked, reset].compactMap(\.self).max()
            books.exhaustedUntil = max(books.exhaustedUntil, now + min(told ?? longest, Self.day))
        case .authentication: books.isRetired = true
        case .answered, .capacity, .request, .failure: break
        }
    }
}

extension ProviderSignals {
    fileprivate var saysWhatIsLeft: Bool {
        [requests, tokens, inputTokens, outputTokens].contains { $0?.remaining != nil }
    }
}

extension ProviderSignals.Reading {
    /// After how long all of it would come again; nil: the reading does not say.
    var span: Double? {
        guard let limit, let remaining, let reset, limit > remaining, reset > .zero else { return nil }
        return Double(reset.clampedNanoseconds) * Double(limit) / Double(limit - remaining)
    }

    /// Whether it is the limit of an hour or longer.
    ///
    /// In a window of a minute of which little is used the span seems long, too; the reset does not.
    fileprivate var isOfDay: Bool { (span ?? 0) >= 3.5e12 && (reset ?? .zero) > .seconds(66) }
}

extension QuotaBooks {
    /// The provider refused and did not say why: nothing is left of what is used up most, or all waits a second.
    fileprivate mutating func fillFullest(at now: Int64) {
        var fullest: Int?, most = -1.0
        for index in 0..<Self.meterCount where active & (1 << index) != 0 {
            // A refusal of the minute says nothing of the day, which would be lost for hours.
            let dimension = Quota.Dimension(rawValue: index)
            if dimension == .requestsPerDay || dimension == .tokensPerDay { continue }
            let share = Double(spw_meter_owed(meters + index)) / Double(meters[index].burst)
            if share > most { (fullest, most) = (index, share) }
        }
        guard let fullest else {
            pausedUntil = max(pausedUntil, now + 1_000_000_000)
            return
        }
        let full = spw_meter_ticks(meters + fullest, meters[fullest].burst)
        if spw_meter_debt(meters + fullest) < full { spw_meter_set_debt(meters + fullest, full) }
    }
}
