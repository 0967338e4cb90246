using System.Net;
using System.Net.Sockets;
using System.Text;
using Harepd.Core.Model;

namespace Harepd.Postgres.Hba;

/// <summary>
/// The text of the managed block (DESIGN section 5). It stands at the very top of pg_hba.conf, where nothing can shadow it, since the
/// first rule that matches decides. Pure.
/// </summary>
internal static class HbaBlock
{
    /// <summary>Ends each of our lines that is not of upstream's rule form, so that a stray one is known for ours wherever it lies.</summary>
    public const string Tag = " # harepd fence";

    /// <summary>
    /// The block, marker to marker, each line ended by a line feed. Upstream's rule form for the check users; for a closed gate of scope
    /// clients also the exempt users' narrowed rules and then a rule that rejects every other TCP client. <c>all</c> as a database does not match physical
    /// replication, so the operator's replication rules below go on to decide about it; logical replication names a database and is rejected.
    /// </summary>
    /// <param name="policy">The rest of what to say.</param>
    /// <param name="gate">What clients may do.</param>
    /// <param name="term">Stamped on the marker (R11).</param>
    /// <param name="exemptRules">From <see cref="HbaExemption"/>; used only where everybody else is rejected.</param>
    public static string Render(HbaPolicy policy, Gate gate, Term term, IReadOnlyList<string> exemptRules)
    {
        var text = new StringBuilder();
        text.Append(new HbaMarker(policy.NodeName, term, gate).BeginLine).Append('\n');
        foreach (var rule in CheckRules(policy, gate))
        {
            text.Append(rule).Append('\n');
        }

        if (RejectsClients(policy, gate))
        {
            foreach (var rule in exemptRules)
            {
                text.Append(rule).Append('\n');
            }

            text.Append("host all all all reject").Append(Tag).Append('\n');
        }

        return text.Append(HbaMarker.EndLine).Append('\n').ToString();
    }

    /// <summary>True when the block has to reject every TCP client that is not exempt.</summary>
    public static bool RejectsClients(HbaPolicy policy, Gate gate) => gate == Gate.Fenced && policy.Scope == FenceScope.Clients;

    /// <summary>The rules for HAProxy's check users: <c>host user user address method</c>, the database named as the user.</summary>
    public static IEnumerable<string> CheckRules(HbaPolicy policy, Gate gate)
    {
        foreach (var server in policy.HaproxyServers)
        {
            yield return CheckRule(policy.ReadWriteUser, server, gate == Gate.ReadWrite ? policy.AllowMethod : policy.DenyMethod);
            if (policy.ReadOnlyUser is { } reader && reader != policy.ReadWriteUser)
            {
                yield return CheckRule(reader, server, gate >= Gate.ReadOnly ? policy.AllowMethod : policy.DenyMethod);
            }
        }
    }

    /// <summary>An address as pg_hba.conf wants it: <c>/32</c> or <c>/128</c> behind an address, a network or host name as it is.</summary>
    public static string AddressField(string server)
    {
        // .NET reads "1" as an address; PostgreSQL and people do not.
        var isAddress = server.AsSpan().IndexOfAny(".:") >= 0 && IPAddress.TryParse(server, out var address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || server.Count(c => c == '.') == 3);
        if (!isAddress)
        {
            return server.Contains('/', StringComparison.Ordinal) ? server : HbaText.Quote(HbaText.FromName(server));
        }

        return server + (server.Contains(':', StringComparison.Ordinal) ? "/128" : "/32");
    }

    private static string CheckRule(string user, string server, string method)
    {
        var name = HbaText.Quote(HbaText.FromName(user));
        return $"host {name} {name} {AddressField(server)} {HbaText.FromName(method)}";
    }
}
