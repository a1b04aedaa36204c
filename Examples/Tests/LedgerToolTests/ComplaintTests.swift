import Foundation
import Testing

@testable import LedgerTool

@Suite struct ComplaintTests {
    @Test(
        arguments: [
            ("spend", "--by planet", "The value 'planet' is invalid for '--by <by>'. Please provide one of"),
            ("spend", "--per fortnight", "The value 'fortnight' is invalid for '--per <per>'"),
            ("spend", "--from 2026-02-30", "must be like 2026-11-21 or 2026-11-21T09:30Z"),
            ("spend", "--from 2026-11-21 --to 2026-11-20", "--from is 2026-11-21, but must be before --to"),
            ("spend", "--scope acme", "must be like tenant:acme, with tenant, project,"),
            ("spend", "--format xml", "Please provide one of 'table', 'csv' or 'tsv'"),
            ("answers", "--slo 0", "must be seconds above 0"), ("answers", "--slo nan", "must be seconds above 0"),
            ("burn", "--limit much", "must be dollars, such as 100 or 0.005"),
            ("burn", "--limit -1", "Missing value for '--limit <limit>'"),
            ("reconcile", "", "Missing expected argument '--invoice <invoice>'"),
            ("reprice", "--service express", "Please provide one of 'standard', 'batch', 'flex' or 'priority'"),
            ("gamble", "", "unexpected arguments: 'gamble'"),
        ])
    func `a command that makes no sense is refused in one line, with 64`(
        command: String, options: String, reason: String
    ) async throws {
        let arguments = [command, "journal"] + options.split(separator: " ").map(String.init)
        do {
            _ = try LedgerTool.parseAsRoot(arguments)
            Issue.record("accepted")
        } catch {
            let text = try #require(LedgerTool.complaint(about: error))
            #expect(text.contains(reason), "\(text)")
            #expect(!text.contains("\n"))
            #expect(LedgerTool.exitCode(for: error).rawValue == 64)
        }
    }

    @Test func `a file that makes no sense is refused in one line, with 1`() async throws {
        let folder = try Folder()
        let cases: [(name: String, content: String?, reason: String)] = [
            ("missing", nil, ": no such file"),
            ("text", "hello\n", "is neither the file of a ledger nor a journal"),
            ("sqlite", "SQLite format 3\0 and no more", "sqlite"),
            ("json", "{\"number\":1}\n", "json, line 1: "),
            ("half", "{\"number\":1,", "half, line 1: no JSON of a posting"),
        ]
        for (name, content, reason) in cases {
            let path = try content.map { try folder.file(name, $0) } ?? folder.path(name)
            let (text, code) = try #require(await complaint("spend", path))
            #expect(text.contains(reason), "\(text)")
            #expect(!text.contains("\n") && code == 1)
        }
        let (text, _) = try #require(await complaint("spend", folder.path("")))
        #expect(text.hasSuffix("is a folder"))
    }

    @Test(
        arguments: [
            ("\"kind\":\"settled\"", "\"kind\":\"lost\"", "kind is 'lost'"),
            ("\"acme\"", "\"acme\"", ""), ("tenant:acme", "planet:acme", "'planet:acme' is no scope"),
            ("\"outcome\":\"success none\"", "\"outcome\":\"success timeout\"", "outcome is 'success timeout'"),
            ("\"cost\":\"0.", "\"cost\":\"0,", "cost is '0,"), ("\"input\":", "\"imput\":", "usage is 'imput'"),
        ])
    func `a line of a journal that is wrong is named`(old: String, new: String, reason: String) async throws {
        let folder = try Folder()
        let sample = try await answer("sample", "--calls", "40")
        let path = try folder.file("journal", sample.replacingOccurrences(of: old, with: new))
        let said = await complaint("spend", path)?.text
        #expect(reason.isEmpty ? said == nil : said?.contains(reason) == true, "\(said ?? "nothing")")
    }

    @Test func `other files are looked at too`() async throws {
        let folder = try Folder()
        let journal = try folder.file("journal", try await answer("sample", "--calls", "10"))
        let bad = try folder.file("bad", "a,b\n1,2\n")
        #expect(
            await complaint("reconcile", journal, "--invoice", bad)?.text.contains("column 'date' is missing") == true)
        #expect(await complaint("reprice", journal, "--prices", bad)?.text.contains("is no table of prices") == true)
        #expect(await complaint("prices", "nothing-1")?.text == "no price of 'nothing-1' in the common book")
        #expect(await complaint("prices", "--unmapped")?.text == "--unmapped needs --prices")
        let nowhere = folder.path("no/such/folder.svg")
        #expect(await complaint("burn", journal, "--drawing", nowhere)?.text.contains("cannot be written") == true)
    }

    @Test func `help is no complaint`() async {
        #expect(await complaint("--help") == nil)
        #expect(await complaint("burn", "--help") == nil)
    }
}
