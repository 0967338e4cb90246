using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Harepd.Peers;
using Harepd.Postgres;
using Harepd.Postgres.Wire;

namespace Harepd.Repmgr;

/// <summary>
/// What repmgr believes of the cluster. However many ask at once, the server sees one connection: a look is shared by all who ask within a
/// moment, and there is one at a time. Thread-safe.
/// </summary>
internal sealed class RepmgrReader
{
    private static readonly TimeSpan KeepFor = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan NamePatience = TimeSpan.FromSeconds(1);
    private readonly RepmgrTable _table;
    private readonly SharedAnswer<RepmgrView> _view;
    private readonly HostNames _names = new(NamePatience);
    private readonly string _nodeName;
    private readonly IPAddress? _ownAddress;

    /// <param name="settings">Of the local server; its user and database are repmgr's.</param>
    /// <param name="nodeName">This node's name in repmgr.</param>
    /// <param name="ownAddress">This node's replication address, for a conninfo whose host name means this machine to itself; null for none.</param>
    public RepmgrReader(PostgresSettings settings, string nodeName, IPAddress? ownAddress = null)
    {
        (_nodeName, _ownAddress) = (nodeName, ownAddress);
        _table = new RepmgrTable(settings);

        // The look itself ends by the hang timeout; the deadline here only catches a machine that does not run it.
        _view = new SharedAnswer<RepmgrView>(_ => ValueTask.FromResult(_table.Read()), KeepFor, settings.HangTimeout + TimeSpan.FromSeconds(5));
    }

    /// <summary>The rows, at most half a second old, or the reason why there are none. Throws for the caller's own token alone.</summary>
    public Task<RepmgrView> ReadAsync(CancellationToken token) => _view.GetAsync(token);

    /// <summary>
    /// The active rows as a peer of the 2021 daemon is to see them, each with one IPv4 address; rows without one (IPv6, socket folders, names that
    /// do not resolve, nonsense) are left out. Null when the tables cannot be read.
    /// </summary>
    public async ValueTask<ClusterKnowledge?> KnowledgeAsync(CancellationToken token)
    {
        if (await ReadAsync(token) is not RepmgrView.Known known)
        {
            return null;
        }

        var rows = await Task.WhenAll(known.Nodes.Where(node => node.IsActive).Select(node => RowAsync(node, token)));
        var own = known.Nodes.FirstOrDefault(node => node.Name == _nodeName);
        return new ClusterKnowledge(own?.Id ?? -1, [.. rows.OfType<ClusterRow>()]);
    }

    private async Task<ClusterRow?> RowAsync(RepmgrNode node, CancellationToken token)
    {
        ClusterRowKind? kind = node.Type switch
        {
            RepmgrNodeType.Primary => ClusterRowKind.Primary,
            RepmgrNodeType.Standby => ClusterRowKind.Standby,
            RepmgrNodeType.Witness => ClusterRowKind.Witness,
            _ => null,
        };
        return kind is { } known && await AddressAsync(node, token) is { } address ? new ClusterRow(known, address.ToString()) : null;
    }

    private async ValueTask<IPAddress?> AddressAsync(RepmgrNode node, CancellationToken token)
    {
        foreach (var host in ConnInfo.HostsOf(node.ConnInfo) ?? [])
        {
            if (IPAddress.TryParse(host, out var literal))
            {
                if (ToIPv4(literal) is { } address)
                {
                    return address;
                }
            }
            else if (IsName(host) && (await _names.FindAsync(host, token)) is [var found, ..])
            {
                // A machine often knows its own name as a loopback address, under which no peer would know it.
                return IPAddress.IsLoopback(found) && node.Name == _nodeName && _ownAddress is not null ? _ownAddress : found;
            }
        }

        return null;
    }

    // An empty host, a socket folder and an abstract socket are places of this machine alone.
    private static bool IsName(string host) => host.Length is > 0 and <= 255 && host[0] is not ('/' or '@');

    private static IPAddress? ToIPv4(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork ? address : address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : null;
}
