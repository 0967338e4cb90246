using System.Globalization;
using System.Net.Sockets;
using Harepd.Config;
using Harepd.Core.Model;
using Harepd.Peers;
using Harepd.Runtime;

namespace Harepd.Cli.Check;

/// <summary>Asks every other member for its state, with the same certificates and deadline as the daemon; then the own address and certificate.</summary>
internal static class PeerDoors
{
    private static readonly TimeSpan CertificateNotice = TimeSpan.FromDays(21);

    public static IEnumerable<Task<DoorAnswer>> Try(HarepdConfig config, DaemonMode mode, CancellationToken stop)
    {
        yield return Task.FromResult(Listen(config.Grpc));
        var access = PeerAccess.Of(config.Grpc);
        if (config.Grpc.Tls.Enabled)
        {
            yield return Task.FromResult(Certificate(config.Grpc.Tls, access));
        }

        if (access.Options is not { } options)
        {
            yield break;
        }

        var stamp = NodeSettingsFrom.Config(config, mode).Membership.Stamp;
        foreach (var peer in config.Grpc.Peers)
        {
            yield return AskAsync(peer.Member, stamp, options, config.Grpc.ConnectionDeadline, stop);
        }
    }

    private static async Task<DoorAnswer> AskAsync(
        MemberId peer, MembershipStamp stamp, PeerLinkOptions options, TimeSpan deadline, CancellationToken stop)
    {
        var door = $"peer {peer}";
        switch (await PeerProbe.AskAsync(peer, options, deadline, stop))
        {
            case PeerProbe.Told(var status) when status.Member != peer:
                return DoorAnswer.Shut(door, $"calls itself {status.Member}: its advertise and this node's list must have the same letters");
            case PeerProbe.Told(var status) when status.Stamp != stamp:
                var mend = "cluster, epoch and the lists of members must be the same";
                return DoorAnswer.Shut(door, $"has the membership {status.Stamp}, this file gives {stamp}: {mend}");
            case PeerProbe.Told(var status):
                var lease = status.Holder is { } holder ? $"keeps a lease of {holder.Member} in term {status.Term}" : "keeps no lease";
                return DoorAnswer.Open(door, $"harepd {status.Version}, same membership, {lease}");
            case PeerProbe.Stranger:
                return DoorAnswer.Noted(door, "answers gRPC, but is no harepd of this generation: a Go daemon has no vote");
            case PeerProbe.Failed(var reason):
                return DoorAnswer.Shut(door, reason);
            default:
                throw new InvalidOperationException("a probe tells, is a stranger's or fails");
        }
    }

    // Binding port 0 tells whether the address is this host's without disturbing a daemon that runs.
    private static DoorAnswer Listen(GrpcConfig config)
    {
        var door = $"listener {new PeerAddress(config.BindAddress.ToString(), config.BindPort)}";
        try
        {
            using var any = new TcpListener(config.BindAddress, 0);
            any.Start();
            any.Stop();
            using var own = new TcpListener(config.BindAddress, config.BindPort);
            own.Start();
            return DoorAnswer.Open(door, "free");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return DoorAnswer.Noted(door, "in use: right while harepd runs, wrong if it is another program");
        }
        catch (SocketException e)
        {
            return DoorAnswer.Shut(door, $"cannot be bound: {e.Message}");
        }
    }

    private static DoorAnswer Certificate(TlsConfig files, PeerAccess access)
    {
        var door = $"certificate {files.Cert}";
        if (access.ExpiresUtc is not { } expires)
        {
            return DoorAnswer.Shut(door, access.Error);
        }

        var left = expires - DateTime.UtcNow;
        var until = string.Create(CultureInfo.InvariantCulture, $"valid until {expires:yyyy-MM-dd HH:mm} UTC");
        return left < TimeSpan.Zero ? DoorAnswer.Shut(door, $"expired: was {until}")
            : left < CertificateNotice ? DoorAnswer.Noted(door, $"{until}: renew it, the daemon picks up changed files")
            : DoorAnswer.Open(door, until);
    }
}
