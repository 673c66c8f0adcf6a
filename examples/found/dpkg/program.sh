# Upgrades the package. The option undoes a configuration of container images that turns syncs off.
dpkg --refuse-unsafe-io --root=state --log=/dev/null -i held_2.deb > out 2>&1 && echo upgraded
