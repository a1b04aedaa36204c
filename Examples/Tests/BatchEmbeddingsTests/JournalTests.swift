import Foundation
import Testing

@testable import BatchEmbeddings

@Suite(.timeLimit(.minutes(5))) struct JournalTests {
    private static func record(_ number: Int, _ result: JournalRecord.Result? = nil) -> JournalRecord {
        JournalRecord(
            key: PassageKey("\(number)", model: "m", dimensions: nil), tokens: number,
            result: result ?? .vector([Float(number), -0.5, .pi]))
    }

    private let place: Workplace
    private var path: String { place.root.appendingPathComponent("journal").path }

    init() throws { place = try Workplace() }

    private func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

    private func put(_ bytes: some Sequence<UInt8>) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

    /// What a journal says of a passage.
    private func said(_ journal: Journal, _ number: Int) throws -> String? {
        try journal[Self.record(number).key].map { String(decoding: try journal.payload($0), as: UTF8.self) }
    }

    @Test func `what was appended is there after the file was opened again`() async throws {
        let failure = Self.record(2, .failure("too long: ä\n\"quoted\""))
        do {
            let journal = try Journal(path)
            #expect(journal.findings == .init() && journal.totals == (0, 0))
            try await journal.append([Self.record(1), failure])
            try await journal.append([Self.record(3)])
            #expect(try said(journal, 1) == JournalRecord.data([1, -0.5, .pi]).base64EncodedString())
        }
        let journal = try Journal(path)
        #expect(journal.totals == (3, 6) && journal.findings == .init())
        for number in [1, 3] {
            #expect(try said(journal, number) == JournalRecord.data([Float(number), -0.5, .pi]).base64EncodedString())
        }
        let entry = try #require(journal[failure.key])
        let reason = Data(base64Encoded: Data(try journal.payload(entry)))
        #expect(entry.isFailure && reason == Data("too long: ä\n\"quoted\"".utf8))
        #expect(try said(journal, 4) == nil)
    }

    @Test func `of several records of a passage the last one counts`() async throws {
        let journal = try Journal(path)
        try await journal.append([Self.record(1, .failure("no"))])
        try await journal.append([Self.record(1)])
        #expect(journal[Self.record(1).key]?.isFailure == false)
        #expect(journal.totals == (1, 1))
    }

    /// A kill, or a power cut, at every byte that could be the last.
    @Test func `whatever part of a file is left, the records in it that are whole are kept, and it goes on`()
        async throws
    {
        let lines = (1...4).map { Self.record($0).line }
        let whole = Journal.header + lines.joined()
        var ends = [Journal.header.count]
        for line in lines { ends.append(ends[ends.count - 1] + line.count) }
        for length in 0...whole.count {
            try put(whole[..<length])
            let kept = max(0, ends.filter { $0 <= length }.count - 1)
            do {
                let journal = try Journal(path)
                #expect(journal.totals.passages == kept, "\(length) bytes")
                #expect(journal.findings.cut == length - (length < ends[0] ? 0 : ends[kept]), "\(length) bytes")
                try await journal.append([Self.record(9)])
                journal.close()
            }
            #expect(try bytes() == Journal.header + lines[..<kept].joined() + Self.record(9).line, "\(length) bytes")
        }
    }

    /// As long as a process that was forked has not run its program, it has all that this one had open.
    @Test func `a journal that is closed is free, whoever else has its descriptor`() async throws {
        try put(Journal.header[...])
        let file = open(path, O_RDWR | O_CLOEXEC), forked = dup(file)
        defer { close(forked) }
        try #require(file >= 0 && forked >= 0)
        let journal = try Journal(descriptor: file, path: path)
        #expect(throws: InputError.self) { try Journal(path) }
        journal.close()
        #expect(try Journal(path).totals.passages == 0)
    }

    @Test func `a broken line costs its own passage alone`() async throws {
        let lines = (1...3).map { Self.record($0).line }
        for place in lines[1].indices.dropLast() {
            var broken = lines[1]
            broken[place] = broken[place] == UInt8(ascii: "x") ? UInt8(ascii: "y") : UInt8(ascii: "x")
            try put(Journal.header + lines[0] + broken + lines[2])
            let journal = try Journal(path)
            #expect(journal.findings == .init(cut: 0, broken: 1), "byte \(place)")
            #expect(try said(journal, 1) != nil && said(journal, 2) == nil && said(journal, 3) != nil, "byte \(place)")
        }
    }

    @Test func `zeros and old bytes behind the last record are cut off`() async throws {
        let good = Journal.header + Self.record(1).line
        for tail in [
            [UInt8](repeating: 0, count: 5_000), Array("garbage\nmore\n".utf8), Array(repeating: 0x0A, count: 3),
        ] {
            try put(good + tail)
            let journal = try Journal(path)
            #expect(journal.findings == .init(cut: tail.count, broken: 0))
            #expect(try bytes() == good)
        }
    }

    @Test func `lines are found across the pieces that are read`() async throws {
        // A megabyte is read at a time.
        let vector = (0..<60_000).map { Float($0) }
        let records = (1...20).map { Self.record($0, .vector(vector)) }
        do {
            let journal = try Journal(path)
            try await journal.append(records)
            journal.close()
        }
        let journal = try Journal(path), payload = JournalRecord.data(vector).base64EncodedString()
        #expect(journal.totals.passages == 20)
        for record in records {
            #expect(try String(decoding: journal.payload(#require(journal[record.key])), as: UTF8.self) == payload)
        }
    }

    @Test func `many appenders at once each find their own`() async throws {
        let journal = try Journal(path)
        await withTaskGroup(of: Void.self) { group in
            for number in 1...200 {
                group.addTask {
                    do { try await journal.append([Self.record(number)]) } catch { Issue.record("\(error)") }
                    #expect(journal[Self.record(number).key]?.tokens == number)
                }
            }
        }
        for number in 1...200 {
            #expect(try said(journal, number) == JournalRecord.data([Float(number), -0.5, .pi]).base64EncodedString())
        }
    }

    @Test func `another run, another kind of file, and a folder are refused by name`() async throws {
        let journal = try Journal(path)
        let busy = #expect(throws: InputError.self) { try Journal(path) }
        #expect(busy?.description == "\(path) is in use by another run")
        withExtendedLifetime(journal) {}
        let other = place.root.appendingPathComponent("other").path
        try Data("some text that is long enough\n".utf8).write(to: URL(fileURLWithPath: other))
        let foreign = #expect(throws: InputError.self) { try Journal(other) }
        #expect(foreign?.description == "\(other) is no journal of BatchEmbeddings")
        #expect(try String(contentsOfFile: other, encoding: .utf8) == "some text that is long enough\n")
        let folder = #expect(throws: InputError.self) { try Journal(place.root.path) }
        #expect(folder?.description.hasPrefix("\(place.root.path) cannot be opened") == true)
    }

    @Test func `when nothing can be written the appender hears of it, and so does the next one`() async throws {
        try put(Journal.header)
        let full = try Journal(descriptor: open(path, O_RDONLY), path: "full")
        for _ in 0..<2 {
            let error = await #expect(throws: InputError.self) { try await full.append([Self.record(1)]) }
            #expect(error?.description.contains("full cannot be written") == true)
        }
        #expect(full[Self.record(1).key] == nil)
    }
}
