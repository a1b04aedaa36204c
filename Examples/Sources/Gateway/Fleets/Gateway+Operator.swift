import Hummingbird

extension Gateway {
    /// Checks that whoever wants to change a fleet may: the operator with a key; where the file names none, this machine's users.
    func checkMayChange(_ request: Request) throws {
        try checkOperator(request)
        guard treasury == nil else { return }
        guard configuration.server.isLocal, request.headers.isDirect else {
            throw APIError(
                .forbidden,
                "Without operator.keys in the gateway's file replicas are drained only where the gateway listens on "
                    + "loopback, and by requests that neither a proxy nor a browser has passed on",
                code: "operator_only")
        }
    }
}

extension Configuration.Server {
    /// Whether nobody reaches it but from the same machine.
    fileprivate var isLocal: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return ["localhost", "::1"].contains(host)
            || parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

extension HTTPFields {
    /// Whether nothing says that the request came here for somebody else: a page in a browser, or whoever asks a proxy.
    fileprivate var isDirect: Bool {
        ["origin", "referer", "sec-fetch-site", "forwarded", "x-forwarded-for", "x-real-ip", "via"].allSatisfy {
            self[.init($0)!] == nil
        }
    }
}
