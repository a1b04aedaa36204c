#if HTTPClientSupport
#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import Spillway
import Testing

@testable import SpillwayHTTPClient

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("Members in a file", .timeLimit(.minutes(10)))
struct FileMembersTests {
    @Test("a file that is no UTF-8 is an error, and so is one that is not there")
    func unreadable() async throws {
        try await withFile { url in
            let gone = await #expect(throws: UnreadableFile.self) { try await FileMembers(url.path).members() }
            #expect(gone?.path == url.path && gone?.reason.isEmpty == false)
            try Data([0x61, 0x20, 0xFF, 0x0A]).write(to: url)
            await #expect(throws: UnreadableFile(path: url.path, reason: "it is no UTF-8")) {
                try await FileMembers(url.path).members()
            }
            try write(["a b:1"], to: url)
            #expect(try await FileMembers(url.path).members() == [Member("a", address: "b:1")])
        }
    }

    @Test("a file of 1 MiB is read, and not one byte more, however much there is")
    func large() async throws {
        try await withFile { url in
            let line = "a b:1\n", rest = (1 << 20) - line.utf8.count
            let whole = line + "#" + String(repeating: "x", count: rest - 2) + "\n"
            try Data(whole.utf8).write(to: url)
            #expect(try await FileMembers(url.path).members().count == 1)
            let error = UnreadableFile(path: url.path, reason: "it is larger than 1 MiB")
            try Data((whole + "\n").utf8).write(to: url)
            await #expect(throws: error) { try await FileMembers(url.path).members() }
            // With a hole in it, which takes no place but in the memory of whoever reads it.
            #expect(truncate(url.path, 1 << 30) == 0)
            await #expect(throws: error) { try await FileMembers(url.path).members() }
        }
    }

    @Test("a list that is cut off anywhere in a line is refused, for the rest of the line may be as good as the whole")
    func cutOff() async throws {
        try await withFile { url in
            let list = Array("one 10.0.0.1:8000\ntwo 10.0.0.2:8000 weight=0.5\n".utf8)
            for count in 1..<list.count {
                try Data(list.prefix(count)).write(to: url)
                if list[count - 1] == UInt8(ascii: "\n") {
                    #expect(try await FileMembers(url.path).members().map(\.name) == ["one"])
                } else {
                    let error = await #expect(throws: UnreadableFile.self) { try await FileMembers(url.path).members() }
                    #expect(error?.reason.contains("newline") == true)
                }
            }
            try Data(list).write(to: url)
            #expect(try await FileMembers(url.path).members().count == 2)
            // Lines of other systems end with one too.
            try Data("one 10.0.0.1:8000\r\n".utf8).write(to: url)
            #expect(try await FileMembers(url.path).members() == [Member("one", address: "10.0.0.1:8000")])
        }
    }

    @Test("what is no regular file is refused, and nobody waits for whoever should write to it")
    func special() async throws {
        try await withFile { url in
            #expect(mkfifo(url.path, 0o600) == 0)
            for path in [url.path, url.deletingLastPathComponent().path, "/dev/zero"] {
                await #expect(throws: UnreadableFile(path: path, reason: "it is no regular file")) {
                    try await FileMembers(path).members()
                }
            }
        }
    }
}

/// A place for a file, which is gone after `body`.
func withFile(_ body: (URL) async throws -> Void) async throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("spillway-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    try await body(url)
}

/// Replaces a file, in one step, by one of these lines.
func write(_ lines: [String], to url: URL) throws {
    try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: url, options: .atomic)
}
#endif
