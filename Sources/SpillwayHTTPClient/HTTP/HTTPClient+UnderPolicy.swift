#if HTTPClientSupport
public import AsyncHTTPClient
internal import NIOCore

extension HTTPClient.Configuration {
    /// A configuration for a client under a policy, which leaves to the policy what the policy does better.
    ///
    /// A refused connection fails at once instead of being tried again unseen; connecting takes 5 s at most; and up to
    /// 1,024 connections to a host are opened, so that requests wait in gates and not in the client.
    public static var underPolicy: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1_024
        return configuration
    }
}
#endif
