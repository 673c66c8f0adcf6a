# Makes the database anew.
printf '+3,3:one->new\n\n' | cdb -c state/data.cdb && echo made
