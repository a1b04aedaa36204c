import Foundation
import SpillwayCore

/// A `redis-server` of this program's own on a free port of the loopback interface, which keeps nothing.
final class Server {
    static let program = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
        .flatMap { folder in ["redis-server", "valkey-server"].map { "\(folder)/\($0)" } }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    let port: Int
    private let folder: URL
    private var process = Process()
    private var startedAt: Int64 = 0
    /// Nanoseconds for which it has been up, before the present run.
    private var wasUp: Int64 = 0

    init() throws {
        guard Self.program != nil else { throw Missing() }
        port = try Self.freePort()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("shared-limit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try start()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    var url: String { "redis://127.0.0.1:\(port)" }

    /// Starts it without any memory.
    func start() throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program ?? "")
        process.arguments = [
            "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder.path,
        ]
        process.standardOutput = FileHandle.nullDevice
        startedAt = SystemTime().now.nanoseconds
        try process.run()
    }

    /// Ends it at once, as a crash would.
    func kill() {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        wasUp += SystemTime().now.nanoseconds - startedAt
    }

    /// Seconds for which it has been up: no shorter than what its own clock can have counted.
    var upTime: Double {
        Double(wasUp + (process.isRunning ? SystemTime().now.nanoseconds - startedAt : 0)) / 1e9
    }

    private static func freePort() throws -> Int {
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        defer { close(descriptor) }
        var address = sockaddr_in(), length = socklen_t(MemoryLayout<sockaddr_in>.size)
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw CocoaError(.fileNoSuchFile) }
        return Int(in_port_t(bigEndian: address.sin_port))
    }

    /// There is nothing to start.
    struct Missing: Error, CustomStringConvertible {
        let description = "there is no redis-server or valkey-server here: dev/setup.sh installs it"
    }
}
