#if ValkeySupport
import Foundation
import Testing

/// A `redis-server` of a test's own on a free port of the loopback interface, which keeps nothing.
final class RedisServer {
    static let program = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
        .flatMap { folder in ["redis-server", "valkey-server"].map { "\(folder)/\($0)" } }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    let port: Int
    private let process = Process()
    private let folder: URL

    /// Starts one, and returns when it answers.
    init(port wanted: Int? = nil, _ options: [String] = []) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("spillway-redis-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        port = try wanted ?? Self.freePort()
        process.executableURL = URL(fileURLWithPath: try #require(Self.program))
        process.arguments =
            [
                "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder.path,
                "--maxmemory-policy", "noeviction",
            ] + options
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        while !Self.listens(port) {
            try #require(process.isRunning, "redis-server ended as it began")
            sched_yield()
        }
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Ends it at once, as a crash would.
    func kill() {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Stops it in the middle of whatever it does, and lets it go on.
    func stop() { Foundation.kill(process.processIdentifier, SIGSTOP) }
    func goOn() { Foundation.kill(process.processIdentifier, SIGCONT) }

    /// Sends one command and reads the first bytes of what it answers.
    @discardableResult
    func command(_ words: String...) throws -> String {
        Self.withSocket(port) { descriptor, address, size in
            guard connect(descriptor, address, size) == 0 else { return "" }
            let text = words.joined(separator: " ") + "\r\n"
            _ = text.utf8CString.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count - 1) }
            var bytes = [UInt8](repeating: 0, count: 4_096)
            // On a line of its own: whose prefix is taken would be copied before it is read into.
            let count = read(descriptor, &bytes, bytes.count)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
    }

    var url: String { "redis://127.0.0.1:\(port)" }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return address
    }

    private static func withSocket<Result>(
        _ port: Int, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        defer { close(descriptor) }
        var address = address(port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    static func freePort() throws -> Int {
        try withSocket(0) { descriptor, address, size -> Int? in
            guard bind(descriptor, address, size) == 0 else { return nil }
            var bound = sockaddr_in(), length = size
            let isKnown = withUnsafeMutablePointer(to: &bound) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            }
            return isKnown == 0 ? Int(in_port_t(bigEndian: bound.sin_port)) : nil
        } ?? { throw CocoaError(.fileNoSuchFile) }()
    }

    private static func listens(_ port: Int) -> Bool {
        withSocket(port) { descriptor, address, size in connect(descriptor, address, size) == 0 }
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips, and says so, where there is no server to be started.
    static var withRedis: Self {
        .enabled(
            if: RedisServer.program != nil, "there is no redis-server or valkey-server here: dev/setup.sh installs it")
    }
}
#endif
