import Foundation
import Testing

@testable import Replay

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite("Page")
struct HTMLPageTests {
    private let page = HTMLPage(report: Report(runs: [SampleRun.naive, SampleRun.spillway])).text

    /// The parser's complaint; nil when the text is well-formed.
    private func complaint(about text: String) -> String? {
        let parser = XMLParser(data: Data(text.utf8))
        return parser.parse() ? nil : "line \(parser.lineNumber): \(String(describing: parser.parserError))"
    }

    @Test("the page is well-formed")
    func wellFormed() {
        #expect(complaint(about: page) == nil)
    }

    @Test("labels and names cannot break the page")
    func escapes() {
        let odd = SampleRun.make(label: "<b>&\"'", allGood: false, callsDuring: 9)
        let text = HTMLPage(report: Report(runs: [odd])).text
        #expect(complaint(about: text) == nil)
        #expect(text.contains("&lt;b&gt;&amp;&quot;"))
    }

    @Test(
        "the page refers to nothing outside itself and runs no script",
        arguments: ["http:", "https:", "//", "src=", "href", "url(", "@import", "<link", "<script", "<img", "<iframe"])
    func selfContained(reference: String) {
        #expect(!page.contains(reference))
    }

    @Test("the page says what the numbers are")
    func explains() {
        for text in ["trace time", "real time × 10", "slice.csv", "faults are synthetic", "prefers-color-scheme"] {
            #expect(page.contains(text), "\(text)")
        }
        #expect(page.components(separatedBy: "<svg").count - 1 == 5)
        #expect(page.contains("75.0%"))
        #expect(page.contains("reset on replica 1"))
    }

    @Test("a run of nothing still makes a page")
    func empty() {
        let settings = SampleRun.naive.settings
        let run = RunResult(
            settings: settings, script: SampleRun.script, records: [], readings: [], stats: FleetStats(phases: [:]))
        let text = HTMLPage(report: Report(runs: [run])).text
        #expect(complaint(about: text) == nil)
        #expect(!text.contains("nan"))
    }

    @Test("the page has the bills, their prices, and the replicas that they add up from")
    func bill() {
        for text in ["$0.00188", "$0.000115", "44.3% less", "$0.000209375", "an assumption", "by replica"] {
            #expect(page.contains(text), "\(text)")
        }
        // 6,000 and 900 tokens of the first replica.
        #expect(page.contains("<td>$0.00087</td>"))
    }

    @Test("a bill that is not known is no free one")
    func unknownBill() {
        let run = SampleRun.make(label: "naive", allGood: true, callsDuring: 5, replicas: nil)
        let text = HTMLPage(report: Report(runs: [run, SampleRun.spillway])).text
        #expect(complaint(about: text) == nil)
        #expect(text.contains("not known"))
        #expect(!text.contains("$0.00<"))
        #expect(text.components(separatedBy: "<svg").count - 1 == 4)
    }
}
