#if HTTPClientSupport
internal import NIOPosix
public import Spillway

/// Members that a name of DNS stands for: one at each of its addresses, as of a headless service of Kubernetes.
///
/// A machine with an IPv4 and an IPv6 address under that name is two members: its one engine is counted twice, each time with
/// all its memory. Ask for one family where that may be.
///
/// Of more addresses than `Fleet.capacity` ``FleetWatch`` takes that many: those that the fleet has already, and of the others the
/// first by name. It tells of those that it leaves out.
public struct DNSMembers: MemberSource {
    /// Which addresses count.
    public enum Family: Sendable, Hashable, CaseIterable {
        /// Those of every family of which this machine has an address itself.
        ///
        /// It may have one without a way to the other's: then ask for the family that has.
        case any
        /// Those of IPv4.
        case ipv4
        /// Those of IPv6.
        case ipv6
    }

    /// The addresses of a host as text, in any order.
    typealias Resolver = @Sendable (_ host: String) async throws -> [String]

    private let host: String
    private let port: Int
    private let template: Member
    private let resolve: Resolver

    /// The members at `host`.
    ///
    /// - Parameters:
    ///   - host: The name, as the system resolves it.
    ///   - port: The port of every member, from 1 to 65,535. They are asked in plain HTTP.
    ///   - family: Which of its addresses count; any by default.
    ///   - template: What else is known of each: all but its name and its address; nothing by default.
    /// - Throws: `ConfigurationError` for no host or another port.
    public init(
        _ host: String, port: Int, family: Family = .any, template: Member? = nil
    ) throws(ConfigurationError) {
        try self.init(host, port: port, template: template) { try await HostAddresses.of($0, family) }
    }

    /// As the public one, with another way to resolve names.
    init(
        _ host: String, port: Int, template: Member? = nil, resolve: @escaping Resolver
    ) throws(ConfigurationError) {
        let check = Validation("DNSMembers")
        try check.require(
            (1...253).contains(host.utf8.count) && host.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "host",
            "'\(host)'", "1 to 253 visible ASCII characters long")
        try check.count(port, "port", in: 1...65_535)
        self.host = host
        self.port = port
        self.template = template ?? Member(host, address: "\(host):\(port)")
        self.resolve = resolve
    }

    /// A member at each address that the name has now, sorted by name.
    ///
    /// - Throws: ``UnresolvedHost`` for a name without an address that counts.
    public func members() async throws -> [Member] {
        // One with a zone of this machine, such as fe80::1%eth0, makes no URL.
        let addresses = try await resolve(host).filter { !$0.contains("%") }
        let names = Set(addresses.map { $0.contains(":") ? "[\($0)]:\(port)" : "\($0):\(port)" })
        guard !names.isEmpty else { throw UnresolvedHost(host: host, reason: "it has no address") }
        return names.sorted().map { name in
            var member = Member(
                name, address: name, zone: template.zone, region: template.region, model: template.model,
                version: template.version, weight: template.weight, labels: template.labels)
            member.kvTokens = template.kvTokens
            member.window = template.window
            member.costPerHour = template.costPerHour
            return member
        }
    }
}

/// A name that could not be resolved.
public struct UnresolvedHost: Error, Sendable, Hashable, CustomStringConvertible {
    /// The name.
    public let host: String
    /// Why, as the system says it.
    public let reason: String

    /// The name and why, in one line.
    public var description: String { "\(host) could not be resolved: \(reason)" }
}
#endif
