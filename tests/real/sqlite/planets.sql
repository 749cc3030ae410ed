-- Views, triggers, floating point, text functions and a window, on a few rows.
create table planet(name text primary key, au real, moons integer);
insert into planet values ('Mercury', 0.387, 0), ('Venus', 0.723, 0), ('Earth', 1.0, 1),
  ('Mars', 1.524, 2), ('Jupiter', 5.203, 95), ('Saturn', 9.537, 146);
create table log(line text);
create trigger grown after update of moons on planet begin
  insert into log values (old.name || ': ' || old.moons || ' -> ' || new.moons);
end;
update planet set moons = moons + 1 where au > 5;
create view outer_planets as select * from planet where au > 2;
select upper(name), printf('%.2f', au * au), moons from outer_planets order by name;
select name, sum(moons) over (order by au) from planet;
select group_concat(line, '; ') from log;
select substr(name, 1, 3), length(name), name like 'M%' from planet where moons < 3;
