import SpillwayHTTPClient

/// The client's usage, of the two that the gateway's imports have.
typealias Usage = SpillwayHTTPClient.Usage
