using Harepd.Core.Model;
using Harepd.Postgres.Hba;
using Xunit;

namespace Harepd.Tests.Hba;

public sealed class HbaBlockTests
{
    [Theory]
    [InlineData(Gate.ReadWrite, "md5", "md5")]
    [InlineData(Gate.ReadOnly, "reject", "md5")]
    [InlineData(Gate.Fenced, "reject", "reject")]
    public void Check_users_are_let_in_as_the_gate_says(Gate gate, string writer, string reader)
    {
        Assert.Equal(
            [$"host harw harw 10.21.57.65/32 {writer}", $"host haro haro 10.21.57.65/32 {reader}"],
            HbaBlock.CheckRules(HbaSamples.Policy, gate));
    }

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1/32")]
    [InlineData("fd00::1", "fd00::1/128")]
    [InlineData("10.0.0.0/24", "10.0.0.0/24")]
    [InlineData("fd00::/64", "fd00::/64")]
    [InlineData("haproxy.example.com", "haproxy.example.com")]
    [InlineData("haproxy1", "haproxy1")]
    [InlineData("1", "1")]
    [InlineData("all", "\"all\"")]
    public void Addresses_networks_and_names_get_their_own_form(string server, string field) => Assert.Equal(field, HbaBlock.AddressField(server));

    [Theory]
    [InlineData("repmgr", "repmgr")]
    [InlineData("all", "\"all\"")]
    [InlineData("replication", "\"replication\"")]
    [InlineData("a b", "\"a b\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("+group", "\"+group\"")]
    [InlineData("", "\"\"")]
    public void Names_that_PostgreSQL_would_misread_are_quoted(string name, string quoted) => Assert.Equal(quoted, HbaText.Quote(name));

    [Theory]
    [InlineData("node_1")]
    [InlineData("10.21.57.65/32")]
    [InlineData("nöde 1%41\n")]
    [InlineData("")]
    public void A_marker_carries_any_node_name_and_never_an_address_with_a_mask(string node)
    {
        var line = new HbaMarker(node, new Term(12), Gate.ReadOnly).BeginLine;

        Assert.Equal(new HbaMarker(node, new Term(12), Gate.ReadOnly), HbaMarker.Parse(line));
        Assert.DoesNotMatch("/[0-9]", line);
        Assert.DoesNotContain('\n', line);
    }

    [Fact]
    public void The_marker_has_the_published_form() =>
        Assert.Equal("# >>> harepd node_1 term=7 gate=readwrite do not edit", new HbaMarker("node_1", HbaSamples.Term7, Gate.ReadWrite).BeginLine);

    [Theory]
    [InlineData("# >>> harepd")]
    [InlineData("# >>> harepd node_1 term=x gate=fenced")]
    [InlineData("# >>> harepd node_1 term=1 gate=open")]
    [InlineData("# >>> harepd node_1 gate=fenced term=1")]
    [InlineData("# >>> harepd node_1 term=-1 gate=fenced")]
    public void A_damaged_marker_is_a_marker_without_meaning(string line)
    {
        Assert.True(HbaMarker.IsBegin(line));
        Assert.Null(HbaMarker.Parse(line));
    }

    [Theory]
    [InlineData("md5\nhost all all all trust")]
    [InlineData("md5 # x")]
    [InlineData("md5 \\")]
    public void A_method_that_would_change_the_lines_below_is_refused(string method) =>
        Assert.Throws<ArgumentException>(() => HbaSamples.Policy with { AllowMethod = method });

    [Fact]
    public void An_empty_method_becomes_the_default()
    {
        var policy = HbaSamples.Policy with { AllowMethod = " ", DenyMethod = "" };

        Assert.Equal(("md5", "reject"), (policy.AllowMethod, policy.DenyMethod));
    }

    [Fact]
    public void Only_a_fence_of_scope_clients_rejects_everybody()
    {
        const string reject = "host all all all reject # harepd fence";
        var checks = HbaSamples.Policy with { Scope = FenceScope.Checks };

        Assert.Contains(reject, HbaBlock.Render(HbaSamples.Policy, Gate.Fenced, HbaSamples.Term7, []), StringComparison.Ordinal);
        Assert.DoesNotContain(reject, HbaBlock.Render(HbaSamples.Policy, Gate.ReadOnly, HbaSamples.Term7, []), StringComparison.Ordinal);
        Assert.DoesNotContain(reject, HbaBlock.Render(HbaSamples.Policy, Gate.ReadWrite, HbaSamples.Term7, []), StringComparison.Ordinal);
        Assert.DoesNotContain(reject, HbaBlock.Render(checks, Gate.Fenced, HbaSamples.Term7, []), StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_without_read_only_user_or_with_one_user_for_both_has_one_rule_an_address()
    {
        Assert.Single(HbaBlock.CheckRules(HbaSamples.Policy with { ReadOnlyUser = null }, Gate.ReadOnly));
        Assert.Equal(["host harw harw 10.21.57.65/32 reject"], HbaBlock.CheckRules(HbaSamples.Policy with { ReadOnlyUser = "harw" }, Gate.ReadOnly));
    }
}
