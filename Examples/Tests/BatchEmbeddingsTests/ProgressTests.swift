import Spillway
import SpillwayTesting
import Testing

@testable import BatchEmbeddings

@Suite(.timeLimit(.minutes(5))) struct ProgressTests {
    private let half = ProgressLine(
        done: 1_234, passages: 2_740, failed: 2, share: 0.456, rate: 12_345, left: .seconds(95), inFlight: 3, limit: 8,
        rateLimited: 5)

    @Test func `a line has all that is known`() {
        #expect(
            half.text(width: 0)
                == "45%  1234/2740 passages  12.3k tokens/s  1m 35s left  3/8 in flight  5 × 429  2 refused")
        let first = ProgressLine(done: 0, passages: 7, share: 0)
        #expect(first.text(width: 0) == "0%  0/7 passages  0/0 in flight")
    }

    @Test func `a bar fits the terminal`() {
        let last = ProgressLine(done: 7, passages: 7, share: 1, rate: 1_500_000, left: .zero, inFlight: 0, limit: 4)
        let words = "100%  7/7 passages  1.5M tokens/s  0s left  0/4 in flight"
        #expect(last.text(width: 120) == "[" + String(repeating: "#", count: 30) + "]  " + words)
        for width in 1...200 {
            #expect(last.text(width: width).count < width && half.text(width: width).count < width, "\(width)")
        }
        let bar = half.text(width: 160)
        #expect(bar.hasPrefix("[#############.................]  45%"), "\(bar)")
    }

    @Test func `spans and rates are short`() {
        #expect(
            [0, 59.4, 60, 3_599, 3_600, 4_020].map { Clock.text(.seconds($0)) }
                == ["0s", "59s", "1m 00s", "59m 59s", "1h 00m", "1h 07m"])
        #expect(
            [0, 980, 1_000, 12_345, 4_500_000].map { ProgressLine.short($0) } == ["0", "980", "1.0k", "12.3k", "4.5M"])
    }

    private func passage(_ tokens: Int) -> Corpus.Pending {
        Corpus.Pending(key: PassageKey("", model: "m", dimensions: nil), text: "", tokens: tokens)
    }

    @Test func `the rate is that of the last half minute`() {
        let start = Instant(nanoseconds: 5_000_000_000)
        func at(_ seconds: Int) -> Instant { start.advanced(by: .seconds(seconds)) }
        let tally = Tally(.init(passages: 1_000, tokensToDo: 100_000), at: start)
        #expect(tally.rate(at: at(1)) == nil)
        for second in 1...100 { tally.embedded([passage(100)], tokens: 90, at: at(second)) }
        #expect(abs((tally.rate(at: at(100)) ?? 0) - 100) < 4)
        for second in 101...140 { tally.embedded([passage(300)], tokens: 290, at: at(second)) }
        #expect(abs((tally.rate(at: at(140)) ?? 0) - 300) < 12)
        #expect(tally.counts.embedded == 140 && tally.counts.tokens == 9_000 + 40 * 290)
        // Nothing for a while: it is slower.
        #expect((tally.rate(at: at(200)) ?? 0) < 10)
    }

    @Test func `setbacks are counted in a row, and how long nothing succeeds`() {
        let start = Instant(nanoseconds: 0)
        let tally = Tally(.init(passages: 2), at: start)
        #expect(tally.setBack(at: start.advanced(by: .seconds(3))) == (1, .seconds(3)))
        #expect(tally.setBack(at: start.advanced(by: .seconds(5))) == (2, .seconds(5)))
        tally.embedded([passage(1)], tokens: 1, at: start.advanced(by: .seconds(6)))
        #expect(tally.setBack(at: start.advanced(by: .seconds(8))) == (1, .seconds(2)))
    }

    @Test func `on a terminal a bar moves; elsewhere a line comes every few seconds; the last one is whole`()
        async throws
    {
        for isInteractive in [true, false] {
            let written = Texts()
            let terminal = Terminal(isInteractive: isInteractive, interval: .seconds(5), write: written.add)
            let time = ManualTime()
            let tally = Tally(.init(passages: 4, tokensToDo: 40), at: time.now)
            let calls = try EmbeddingCalls(CallSettings(baseURL: "http://127.0.0.1:1/v1", model: "m"), http: .shared)
            let source = ProgressSource(tally: tally, calls: calls)
            let showing = Task { await terminal.show(source, time: time) }
            let step: Duration = isInteractive ? .milliseconds(200) : .seconds(5)
            for count in 1...3 {
                await time.waitForSleepers()
                tally.embedded([passage(10)], tokens: 9, at: time.now)
                time.advance(by: step)
                while written.all.count < count { await Task.yield() }
            }
            tally.embedded([passage(10)], tokens: 9, at: time.now)
            showing.cancel()
            await showing.value
            let lines = written.all
            #expect(lines.count == 4)
            #expect(lines.allSatisfy { isInteractive ? $0.hasPrefix("\r\u{1B}[K") : $0.hasSuffix("\n") }, "\(lines)")
            #expect(lines[1].contains("50%  2/4 passages"), "\(lines)")
            #expect(lines[3].contains("100%  4/4 passages") && lines[3].hasSuffix("\n"), "\(lines)")
            #expect(isInteractive == lines[1].contains("["))
        }
    }
}
