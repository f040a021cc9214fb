"""Divides a network into subnets by numbers of hosts."""

import argparse
import ipaddress
import sys


def prefix_for(hosts, network, point_to_point):
    extra = 0 if network.version == 6 or (point_to_point and hosts == 2) else 2
    return network.max_prefixlen - max(0, (hosts + extra - 1).bit_length())


def usable(subnet):
    if subnet.version == 6 or subnet.prefixlen >= 31:
        return subnet[0], subnet[-1], subnet.num_addresses
    return subnet[1], subnet[-2], subnet.num_addresses - 2


def described(name, subnet):
    first, last, count = usable(subnet)
    return f"{name};{subnet};{first};{last};{count}"


def take(free, prefix):
    """The first free block that holds such a subnet, cut to it."""
    for block in sorted(free):
        if block.prefixlen <= prefix:
            free.remove(block)
            subnet = next(block.subnets(new_prefix=prefix))
            free.extend([] if subnet == block else block.address_exclude(subnet))
            return subnet
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("wants", nargs="*", metavar="NAME=HOSTS")
    parser.add_argument("--point-to-point", action="store_true")
    options = parser.parse_args()
    try:
        network = ipaddress.ip_network(options.network)
    except ValueError as error:
        sys.exit(str(error))
    print("name;subnet;first;last;usable")
    if not options.wants:
        print(described("network", network))
        return
    wants = []
    for text in options.wants:
        name, _, hosts = text.rpartition("=")
        if not name or not hosts.isdigit() or int(hosts) < 1:
            parser.error(f"{text!r} is not NAME=HOSTS")
        wants.append((name, prefix_for(int(hosts), network, options.point_to_point)))
    needed = sum(1 << (network.max_prefixlen - prefix) for _, prefix in wants)
    if needed > network.num_addresses:
        missing = needed - network.num_addresses
        sys.exit(f"the plan needs {needed} addresses, {missing} more than {network} has")
    free = [network]
    for name, prefix in sorted(wants, key=lambda want: want[1]):
        subnet = take(free, prefix)
        if subnet is None:
            sys.exit(f"no block is left for {name}")
        print(described(name, subnet))
    for block in sorted(free):
        print(f"free;{block}")


main()
