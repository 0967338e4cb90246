using Harepd.Config;
using Harepd.Peers;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harepd.Cli;

/// <summary>How a command line tool reaches the members: with the daemon's own certificates.</summary>
/// <param name="Options">Null where the certificates make no sense.</param>
/// <param name="ExpiresUtc">When the own certificate ends; null without TLS.</param>
/// <param name="Error">Why there are no options; one sentence.</param>
internal sealed record PeerAccess(PeerLinkOptions? Options, DateTime? ExpiresUtc, string Error)
{
    public static PeerAccess Of(GrpcConfig config)
    {
        var options = new PeerLinkOptions { ServerName = config.ServerHostOverride };
        if (config.Tls is not { Enabled: true } tls)
        {
            return new PeerAccess(options, null, "");
        }

        // One command does not live long enough for changed files.
        using var files = TlsFiles.TryOpen(tls.Ca!, tls.Cert!, tls.Key!, Timeout.InfiniteTimeSpan, NullLogger.Instance, out var error);
        if (files is null)
        {
            return new PeerAccess(null, null, error ?? "the certificates make no sense");
        }

        var material = files.Current;
        return new PeerAccess(options with { Tls = () => material }, material.ExpiresUtc, "");
    }
}
