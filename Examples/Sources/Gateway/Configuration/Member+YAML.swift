import Spillway
import SpillwayHTTPClient

extension Member {
    /// Reads the field `dns`: the name, and what all of its members have in common.
    static func named(
        _ field: Field
    ) throws -> (host: String, port: Int, family: DNSMembers.Family, template: Member) {
        let fields = try field.fields(
            "host", "port", "family", "zone", "region", "version", "kv", "window", "cost", "labels")
        let host = try fields.required("host").text(), port = try fields.required("port").count(in: 1...65_535)
        let family = try fields["family"]?.choice(["any": DNSMembers.Family.any, "ipv4": .ipv4, "ipv6": .ipv6])
        var template = Member("each", address: "each", zone: try fields["zone"]?.text())
        template.region = try fields["region"]?.text()
        template.version = try fields["version"].map { own in
            // Of a number each digit counts, as in 2.10.
            guard let version = own.node.scalar.flatMap({ ModelVersion($0.string) }) else {
                throw own.refuse("a version such as 2.3.1")
            }
            return version
        }
        template.kvTokens = try fields.count("kv", in: 1...1_000_000_000)
        template.window = try fields.count("window", in: 1...1_000_000_000)
        template.costPerHour = try fields.number("cost", in: 0...1_000_000_000)
        for (name, own) in try fields["labels"]?.fields().all ?? [] {
            guard let text = own.node.scalar?.string, !text.isEmpty else { throw own.refuse("a text") }
            template.labels[name] = text
        }
        let made = template
        try fields.blame(["zone": ["zone"], "region": ["region"], "labels": ["labels"], "host": ["host"]]) {
            () throws(ConfigurationError) in
            try made.validate()
            _ = try DNSMembers(host, port: port)
        }
        return (host, port, family ?? .any, made)
    }
}
